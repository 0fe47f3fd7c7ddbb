//! An index: opening it, following its commits, searching it.

pub(crate) mod build;
pub(crate) mod change;
pub(crate) mod check;
pub(crate) mod codes;
pub(crate) mod compact;
pub(crate) mod explain;
pub(crate) mod import;
pub(crate) mod info;
pub(crate) mod merge;
pub(crate) mod options;
pub(crate) mod repair;
pub(crate) mod results;
pub(crate) mod search;
pub(crate) mod select;
pub(crate) mod snapshot;
pub(crate) mod source;
pub(crate) mod staging;
pub(crate) mod tune;
pub(crate) mod walk;
pub(crate) mod write;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use self::options::{DEFAULT_NBITS, DEFAULT_SEED, DEFAULT_TRAIN_TOKENS, OpenOptions};
use self::snapshot::Snapshot;
use crate::codec::Codec;
use crate::error::{Error, Result};
use crate::filter::cache::FilterCache;
use crate::format::FORMAT_VERSION;
use crate::search::keyword::cache::KeywordCache;
use crate::search::tuned::TunedSet;
use crate::storage::catalog::{Access, Catalog, FILE, Settings};

/// Connections kept for later reads.
const IDLE_CONNECTIONS: usize = 8;

/// An open index. It can be shared by threads; every call sees one committed state.
pub struct Index {
    directory: PathBuf,
    read_only: bool,
    threads: usize,
    lock_timeout: Duration,
    train_tokens: u64,
    process: u32,
    pool: OnceLock<Arc<rayon::ThreadPool>>,
    readers: Mutex<Vec<Catalog>>,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    filters: FilterCache,
    keywords: KeywordCache,
    interrupt: Box<dyn Fn() -> Result<()> + Send + Sync>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index at a path, or creates it there when asked to.
    ///
    /// # Errors
    /// [`Error::NotFound`] without an index, [`Error::NotAnIndex`] when something else stands there, [`Error::InvalidInput`]
    /// when settings do not fit an existing index, [`Error::Corrupt`] and [`Error::Incompatible`] for files that cannot be read.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        options.check()?;
        if !path.join(FILE).is_file() {
            match options.create && !options.read_only {
                true => create(path, options)?,
                false => return Err(missing(path)),
            }
        } else if options.create && !options.read_only {
            // There, but empty: a creation that was interrupted.
            let found = Catalog::open(path, Access::Read, Duration::ZERO);
            if matches!(found, Err(Error::NotFound { .. })) {
                create(path, options)?;
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let index = Self {
            directory: path.to_owned(),
            read_only: options.read_only,
            threads: options.threads.unwrap_or(cores),
            lock_timeout: options.lock_timeout,
            train_tokens: options.train_tokens.unwrap_or(DEFAULT_TRAIN_TOKENS),
            process: std::process::id(),
            pool: OnceLock::new(),
            readers: Mutex::default(),
            snapshot: RwLock::default(),
            filters: FilterCache::default(),
            keywords: KeywordCache::default(),
            interrupt: Box::new(|| Ok(())),
        };
        index.read(|catalog, _| {
            let settings = catalog.settings()?;
            crate::codec::check_nbits(settings.nbits)
                .and_then(|()| Codec::parse(&settings.codec))
                .map_err(|e| Error::corrupt(catalog.path(), "table settings", e.to_string()))?;
            let conflict = |name: &str, has: String, asked: String| {
                let path = path.display();
                Err(Error::invalid(format!(
                    "'{path}' has {name} {has}, not {asked}: leave {name} out or make a new index"
                )))
            };
            match options {
                OpenOptions { nbits: Some(n), .. } if *n != settings.nbits => {
                    conflict("nbits", settings.nbits.to_string(), n.to_string())
                }
                OpenOptions { codec: Some(c), .. } if c.name() != settings.codec => {
                    conflict("codec", settings.codec, c.name().into())
                }
                OpenOptions { seed: Some(s), .. } if *s != settings.seed => {
                    conflict("seed", settings.seed.to_string(), s.to_string())
                }
                _ => Ok(()),
            }
        })?;
        Ok(index)
    }

    /// Sets what long searches call now and then; its error ends them.
    pub fn set_interrupt(&mut self, interrupt: impl Fn() -> Result<()> + Send + Sync + 'static) {
        self.interrupt = Box::new(interrupt);
    }

    /// Where the index lies.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether changes are refused.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// Threads for building and searching.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Number of the last commit.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn generation(&self) -> Result<u64> {
        self.read(|_, snapshot| Ok(snapshot.generation))
    }

    /// Number of documents.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn len(&self) -> Result<u64> {
        self.read(|catalog, _| catalog.document_count())
    }

    /// Whether there are no documents.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// The description of the encoder that the index was made with.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn encoder(&self) -> Result<Option<String>> {
        self.read(|catalog, _| Ok(catalog.settings()?.encoder))
    }

    /// Runs a read in one transaction of the catalogue, with the snapshot that belongs to it.
    pub(crate) fn read<T>(
        &self,
        call: impl FnOnce(&mut Catalog, &Arc<Snapshot>) -> Result<T>,
    ) -> Result<T> {
        self.check_process()?;
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .filter(|catalog| !catalog.outdated());
        let mut catalog = match idle {
            Some(catalog) => catalog,
            None => Catalog::open(&self.directory, Access::Read, Duration::ZERO)?,
        };
        // A connection that met an error is closed, which ends its transaction.
        catalog.begin(Access::Read)?;
        let snapshot = self.current(&mut catalog)?;
        let result = call(&mut catalog, &snapshot)?;
        catalog.commit()?;
        if catalog.outdated() {
            return Err(Error::Locked {
                path: self.directory.clone(),
            });
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < IDLE_CONNECTIONS {
            readers.push(catalog);
        }
        Ok(result)
    }

    fn current(&self, catalog: &mut Catalog) -> Result<Arc<Snapshot>> {
        let generation = catalog.generation()?;
        let known = self
            .snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(snapshot) = known.as_ref().filter(|s| s.generation == generation) {
            return Ok(Arc::clone(snapshot));
        }
        let mut seen = generation;
        let fresh = loop {
            match Snapshot::load(&self.directory, catalog, known.as_deref()) {
                Ok(snapshot) => break Arc::new(snapshot),
                // A writer merged and removed a file between our look at the catalogue and at the file: a newer state has it not.
                Err(Error::Io { path, source })
                    if source.kind() == std::io::ErrorKind::NotFound =>
                {
                    catalog.commit()?;
                    catalog.begin(Access::Read)?;
                    let newer = catalog.generation()?;
                    if newer == seen {
                        let detail = "the catalogue names it, and there is no such file";
                        return Err(Error::corrupt(&path, "its entirety", detail));
                    }
                    seen = newer;
                }
                Err(error) => return Err(error),
            }
        };
        let mut slot = self
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Another thread may have brought a newer one meanwhile; this call still uses its own.
        if slot
            .as_ref()
            .is_none_or(|s| s.generation < fresh.generation)
        {
            *slot = Some(Arc::clone(&fresh));
        }
        Ok(fresh)
    }

    fn check_process(&self) -> Result<()> {
        // SQLite connections and threads do not survive a fork; using them in the child would corrupt or hang.
        match std::process::id() == self.process {
            true => Ok(()),
            false => Err(Error::invalid(
                "the index was opened before this process was forked: open it again in the child",
            )),
        }
    }

    /// The pool of this index, made when first needed.
    pub(crate) fn pool(&self) -> Result<&Arc<rayon::ThreadPool>> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let pool = make_pool(self.threads)?;
        Ok(self.pool.get_or_init(|| pool))
    }
}

fn make_pool(threads: usize) -> Result<Arc<rayon::ThreadPool>> {
    let builder = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("weft-{i}"));
    let pool = builder
        .build()
        .map_err(|e| Error::invalid(format!("cannot start {threads} threads: {e}")))?;
    Ok(Arc::new(pool))
}

pub(super) fn missing(path: &Path) -> Error {
    match path.exists() {
        false => Error::NotFound { path: path.into() },
        true if path.is_dir() => Error::NotAnIndex {
            path: path.into(),
            detail: format!("is a directory without {FILE}, so no weft index"),
        },
        true => Error::NotAnIndex {
            path: path.into(),
            detail: "is a file; a weft index is a directory".into(),
        },
    }
}

fn create(path: &Path, options: &OpenOptions) -> Result<()> {
    if path.exists() {
        let empty = path.is_dir()
            && std::fs::read_dir(path)
                .map_err(Error::io(path))?
                .all(|entry| {
                    // What an interrupted creation left is no obstacle.
                    entry.is_ok_and(|e| {
                        e.file_name()
                            .to_str()
                            .is_some_and(|name| name.starts_with(FILE))
                    })
                });
        if !empty {
            let detail =
                "holds other files and no index: choose a new or an empty directory".into();
            return Err(Error::NotAnIndex {
                path: path.into(),
                detail,
            });
        }
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))?;
    let settings = Settings {
        version: FORMAT_VERSION,
        uuid: random_uuid()?,
        nbits: options.nbits.unwrap_or(DEFAULT_NBITS),
        codec: options.codec.unwrap_or(Codec::Weft).name().into(),
        seed: options.seed.unwrap_or(DEFAULT_SEED),
        dim: None,
        encoder: None,
        generation: 0,
        next_docno: 0,
        next_file: 1,
        tuned: TunedSet::default(),
    };
    Catalog::create(path, &settings)?;
    if let Some(parent) = std::path::absolute(path).map_err(Error::io(path))?.parent() {
        crate::storage::sync_directory(parent)?;
    }
    crate::storage::sync_directory(path)
}

/// Sixteen bytes that differ between indexes. The standard library has no random numbers but those of its hash maps.
pub(super) fn random_uuid() -> Result<[u8; 16]> {
    use std::hash::{BuildHasher, Hasher};
    let mut out = [0; 16];
    for half in out.chunks_exact_mut(8) {
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        hasher.write_u128(now.map_or(0, |d| d.as_nanos()));
        hasher.write_u32(std::process::id());
        half.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    Ok(out)
}
