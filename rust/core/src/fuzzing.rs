//! The readers of files, opened to the fuzz targets in `rust/fuzz`. Compiled for them alone; there checksums are not compared
//! (see `format::read`), or nothing a fuzzer makes would get past them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::codec::codebook::Codebook;
use crate::codec::encode::{Coded, VectorCoder};
use crate::error::Result;
use crate::format::read::Container;
use crate::format::{FORMAT_VERSION, FileIdentity, FileKind, FileSeal, is_known};
use crate::index::snapshot::Snapshot;
use crate::search::Searcher;
use crate::search::executor::Executor;
use crate::search::params::SearchParams;
use crate::segment::read::Segment;
use crate::segment::{HEAD, HEAD_BYTES};
use crate::storage::catalog::SegmentRow;
use crate::{Index, NewDocument, OpenOptions, Progress};

const DIM: usize = 8;
/// Centroids from which on a codebook is opened but not coded with: hostile counts cost time and say nothing new.
const FEW: usize = 64;

struct Fixture {
    directory: PathBuf,
    snapshot: Snapshot,
}

/// A small index with a codebook, made once; hostile segments are read with its codebook.
static FIXTURE: LazyLock<Fixture> = LazyLock::new(|| {
    let directory = std::env::temp_dir().join(format!("weft-fuzz-{}", std::process::id()));
    make(&directory, 24, Some(64)).expect("an index can be made");
    let mut catalog = crate::storage::catalog::Catalog::open(
        &directory,
        crate::storage::catalog::Access::Read,
        std::time::Duration::ZERO,
    )
    .expect("it can be opened");
    let snapshot = Snapshot::load(&directory, &mut catalog, None).expect("it can be read");
    Fixture {
        directory,
        snapshot,
    }
});

/// Makes an index of some documents of four tokens: the seeds of the corpus come from here.
///
/// # Errors
/// Those of the file system.
pub fn make(directory: &Path, documents: usize, train_tokens: Option<u64>) -> Result<()> {
    let options = OpenOptions {
        create: true,
        train_tokens,
        threads: Some(1),
        ..OpenOptions::default()
    };
    let index = Arc::new(Index::open(directory, &options)?);
    let mut vectors = vec![0.0; documents * 4 * DIM];
    for (i, v) in vectors.iter_mut().enumerate() {
        *v = ((i * 7919 + i / 13) % 101) as f32 / 50.0 - 1.0;
    }
    let mut writer = index.begin()?;
    let rows = vec![NewDocument::default(); documents];
    writer.add(&rows, &vec![4; documents], &vectors, DIM)?;
    writer.commit(&mut Progress::none())?;
    Ok(())
}

/// Writes the bytes to a file and calls it with identity and seal that fit, so that they stop nothing.
fn with_file<T>(
    data: &[u8],
    kind: FileKind,
    call: impl FnOnce(&Path, &FileIdentity, &FileSeal) -> T,
) -> T {
    let path = FIXTURE.directory.join("hostile");
    std::fs::write(&path, data).expect("the scratch file can be written");
    let mut identity = FileIdentity {
        version: FORMAT_VERSION,
        kind,
        number: 1,
        index: [0; 16],
    };
    if let Some(header) = data.get(..64) {
        let version = u32::from_le_bytes(header[8..12].try_into().expect("four bytes"));
        if is_known(version) {
            identity.version = version;
        }
        identity.number = u64::from_le_bytes(header[16..24].try_into().expect("eight bytes"));
        identity.index.copy_from_slice(&header[24..40]);
    }
    let seal = FileSeal {
        bytes: data.len() as u64,
        checksum: 0,
    };
    call(&path, &identity, &seal)
}

/// The container: header, section table, trailer, and the bytes of every section.
pub fn container(data: &[u8]) {
    let _any = with_file(data, FileKind::Segment, |path, identity, seal| {
        let file = Container::open(path, identity, seal)?;
        file.verify()?;
        for name in 0..16 {
            if let Ok(section) = file.section(name) {
                let _any = section.all();
                let _any = section.some::<u32>(1, 3);
                let _any = section.get(data.len() / 2, data.len());
            }
        }
        Ok::<(), crate::Error>(())
    });
}

/// A codebook, and coding with it.
pub fn codebook(data: &[u8]) {
    let _any = with_file(data, FileKind::Codebook, |path, identity, seal| {
        let codebook = Codebook::open(path, identity, seal)?;
        codebook.verify()?;
        let last = codebook.head.centroids as u32 - 1;
        let mut values = vec![0.0; codebook.head.dim];
        codebook.centroid(last, &mut values)?;
        let mut halves = vec![0; values.len()];
        weft_kernels::f32_to_f16(&values, &mut halves);
        if codebook.head.centroids <= FEW {
            VectorCoder::new(&codebook)?.code(&halves, &mut Coded::default());
        }
        Ok::<(), crate::Error>(())
    });
}

/// A segment: what `check` does with it, and both searches.
pub fn segment(data: &[u8]) {
    let fixture = &*FIXTURE;
    let _any = with_file(data, FileKind::Segment, |path, identity, seal| {
        let file = Container::open(path, identity, seal)?;
        let head: &[u8] = file.section(HEAD)?.numbers(HEAD_BYTES)?;
        let long =
            |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let codebook = fixture
            .snapshot
            .codebooks
            .values()
            .next()
            .filter(|_| long(8) != 0);
        let row = SegmentRow {
            number: identity.number,
            codebook: long(8),
            passages: long(16) & 0xFFFF_FFFF,
            tokens: long(24),
            seal: *seal,
        };
        let codebook = codebook.map(|c| &**c);
        if let Ok(left) = Segment::salvage(path, &row, codebook, DIM) {
            left.passages_left(|_, start, end| {
                let _any = left.verify_tokens(start as usize, end as usize);
            })
            .ok();
        }
        let mut segment = Segment::open(path, identity, &row, codebook)?;
        segment.verify().ok();
        if let Some(codebook) = codebook {
            segment.codebook = codebook.head.root;
        }
        let dim = segment.dim;
        let snapshot = Snapshot {
            generation: 1,
            uuid: fixture.snapshot.uuid,
            dim: Some(dim),
            codebooks: fixture.snapshot.codebooks.clone(),
            segments: vec![Arc::new(segment)],
            deleted: Arc::default(),
            tuned: fixture.snapshot.tuned.clone(),
        };
        let values: Vec<f32> = (0..3 * dim).map(|i| (i % 7) as f32 - 3.0).collect();
        let query = crate::index::search::prepare(&[&values], dim)?.remove(0);
        for exact in [false, true] {
            let searcher = Searcher {
                snapshot: &snapshot,
                live: None,
                executor: Executor::Serial,
                poll: &|| Ok(()),
                meter: None,
            };
            let params = SearchParams {
                k: 3,
                exact,
                ..SearchParams::default()
            };
            searcher.search(&query, &params)?;
        }
        Ok::<(), crate::Error>(())
    });
}

/// A filter, as users write it.
pub fn filter(data: &[u8]) {
    if let Ok(json) = std::str::from_utf8(data) {
        let _any = crate::Filter::parse(json);
    }
}

/// A list of postings below a limit, which is the first byte.
pub fn postings(data: &[u8]) {
    if let [limit, bytes @ ..] = data {
        let limit = u32::from(*limit);
        crate::segment::postings::read(bytes, limit, |passage| assert!(passage < limit));
    }
}
