//! The class `Index`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use weft_core::{
    Codec, Cursor, Document, Filter, Fusion, FusionRule, Hit, Mode, OpenOptions, Part, Profile,
    SearchOptions, SearchParams, Tuned,
};

use crate::buffer::{Matrix, bytes};
use crate::engine;
use crate::errors::{convert, enter, invalid, poll};
use crate::progress::reported;
use crate::writer::Writer;

/// A handle that can be closed; the engine itself lives as long as calls use it.
#[pyclass(frozen, module = "weft._core")]
pub(crate) struct Index {
    path: String,
    read_only: bool,
    engine: Mutex<Option<Arc<weft_core::Index>>>,
}

/// `list, rank, score`.
type PartTuple = (&'static str, u32, f32);
/// `id, score, docno, passage, passages, start, end, text, title, metadata, parts`.
type HitTuple = (
    String,
    f32,
    u32,
    u32,
    u32,
    u64,
    u64,
    Option<String>,
    Option<String>,
    Option<String>,
    Vec<PartTuple>,
);
/// `id, text, title, metadata, spans`.
type DocumentTuple = (
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Vec<(u64, u64)>,
);
/// `tokens of each passage, codes, residuals`.
type CodesTuple<'py> = (Vec<Vec<u32>>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);
/// `passage, score, [(document token, similarity)]`.
type ExplanationTuple = (u32, f32, Vec<(u32, f32)>);

fn hit(h: Hit) -> HitTuple {
    let part = |part: &Part| (part.list.name(), part.rank, part.score);
    let parts = h.parts.iter().map(part).collect();
    (
        h.id, h.score, h.docno, h.passage, h.passages, h.start, h.end, h.text, h.title, h.metadata,
        parts,
    )
}

fn optional(py: Python<'_>, filter: Option<&str>) -> PyResult<Option<Filter>> {
    filter.map(|filter| engine::filter(py, filter)).transpose()
}

fn mode(mode: &str, fusion: &str, weights: Option<(f64, f64)>) -> PyResult<Mode> {
    let rule = match fusion {
        "rrf" => FusionRule::ReciprocalRank,
        "weighted" => FusionRule::Weighted,
        _ => {
            return Err(invalid(format!(
                "fusion is '{fusion}': it is 'rrf' or 'weighted'"
            )));
        }
    };
    match mode {
        "semantic" => Ok(Mode::Semantic),
        "keyword" => Ok(Mode::Keyword),
        "hybrid" => Ok(Mode::Hybrid(Fusion {
            rule,
            weights: weights.unwrap_or(Fusion::default().weights),
        })),
        _ => Err(invalid(format!(
            "mode is '{mode}': it is 'semantic', 'keyword' or 'hybrid'"
        ))),
    }
}

/// Puts a profile into a dict: nanoseconds, threads, and name, calls, nanoseconds and counts of every stage.
fn fill(out: &Bound<'_, PyDict>, profile: &Profile) -> PyResult<()> {
    let stages = PyList::empty(out.py());
    for stage in &profile.stages {
        let counts = PyDict::new(out.py());
        for (name, count) in stage.stage.counters().iter().zip(&stage.counts) {
            counts.set_item(name, count)?;
        }
        let time = stage.time.as_nanos();
        stages.append((stage.stage.name(), stage.calls, time, counts))?;
    }
    out.set_item("nanoseconds", profile.time.as_nanos())?;
    out.set_item("threads", profile.threads)?;
    out.set_item("stages", stages)
}

fn document(d: Document) -> DocumentTuple {
    (d.id, d.text, d.title, d.metadata, d.spans)
}

fn begun(cursor: Option<(u32, u32)>) -> Cursor {
    cursor.map_or_else(Cursor::default, |(from, until)| Cursor {
        from,
        until: Some(until),
    })
}

/// A cursor that has read a page, for the next call.
fn pair(cursor: Cursor) -> (u32, u32) {
    (cursor.from, cursor.until.unwrap_or(cursor.from))
}

impl Index {
    fn engine(&self) -> PyResult<Arc<weft_core::Index>> {
        let slot = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        slot.clone().ok_or_else(|| {
            invalid(format!(
                "the index '{}' was closed: open it again",
                self.path
            ))
        })
    }
}

#[pymethods]
impl Index {
    #[staticmethod]
    #[pyo3(signature = (path, *, create=false, read_only=false, nbits=None, codec=None, seed=None, threads=None, lock_timeout=0.0, train_tokens=None))]
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the keywords of weft.open"
    )]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        create: bool,
        read_only: bool,
        nbits: Option<u32>,
        codec: Option<&str>,
        seed: Option<u64>,
        threads: Option<usize>,
        lock_timeout: f64,
        train_tokens: Option<u64>,
    ) -> PyResult<Self> {
        let lock_timeout = Duration::try_from_secs_f64(lock_timeout)
            .map_err(|e| invalid(format!("lock_timeout is {lock_timeout}: {e}")))?;
        let codec = codec
            .map(Codec::parse)
            .transpose()
            .map_err(|e| convert(py, e))?;
        let options = OpenOptions {
            create,
            read_only,
            nbits,
            codec,
            seed,
            threads,
            lock_timeout,
            train_tokens,
        };
        let engine = enter(py, || {
            let mut index = weft_core::Index::open(&path, &options)?;
            index.set_interrupt(poll);
            Ok(Arc::new(index))
        })?;
        Ok(Self {
            path: path.to_string_lossy().into_owned(),
            read_only,
            engine: Mutex::new(Some(engine)),
        })
    }

    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    #[getter]
    fn read_only(&self) -> bool {
        self.read_only
    }

    #[getter]
    fn generation(&self, py: Python<'_>) -> PyResult<u64> {
        let engine = self.engine()?;
        enter(py, || engine.generation())
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        let engine = self.engine()?;
        enter(py, || engine.len()).map(|n| n as usize)
    }

    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let engine = self.engine()?;
        let info = enter(py, || engine.info())?;
        let out = PyDict::new(py);
        out.set_item("documents", info.documents)?;
        out.set_item("passages", info.passages)?;
        out.set_item("tokens", info.tokens)?;
        out.set_item("dim", info.dim)?;
        out.set_item("nbits", info.nbits)?;
        out.set_item("codec", info.codec)?;
        out.set_item("seed", info.seed)?;
        out.set_item("generation", info.generation)?;
        out.set_item("format_version", info.format_version)?;
        out.set_item("encoder", info.encoder)?;
        let tuned = PyList::empty(py);
        for one in info.tuned {
            let row = PyDict::new(py);
            row.set_item("k", one.k)?;
            row.set_item("nprobe", one.nprobe)?;
            row.set_item("ndocs", one.ndocs)?;
            row.set_item("target", one.target)?;
            row.set_item("overlap", one.overlap)?;
            row.set_item("standard_error", one.standard_error)?;
            row.set_item("queries", one.queries)?;
            row.set_item("passages", one.passages)?;
            tuned.append(row)?;
        }
        out.set_item("tuned", tuned)?;
        let segments = PyList::empty(py);
        for segment in info.segments {
            let row = PyDict::new(py);
            row.set_item("number", segment.number)?;
            row.set_item("kind", if segment.coded { "coded" } else { "float16" })?;
            row.set_item("passages", segment.passages)?;
            row.set_item("tokens", segment.tokens)?;
            row.set_item("bytes", segment.bytes)?;
            segments.append(row)?;
        }
        out.set_item("segments", segments)?;
        let codebooks = PyList::empty(py);
        for codebook in info.codebooks {
            let row = PyDict::new(py);
            row.set_item("number", codebook.number)?;
            row.set_item("centroids", codebook.centroids)?;
            row.set_item("tokens", codebook.tokens)?;
            row.set_item("mean_residual", codebook.mean_residual)?;
            row.set_item("bytes", codebook.bytes)?;
            codebooks.append(row)?;
        }
        out.set_item("codebooks", codebooks)?;
        let parts = PyDict::new(py);
        for (part, bytes) in info.bytes {
            parts.set_item(part, bytes)?;
        }
        out.set_item("bytes", parts)?;
        out.set_item("bytes_per_token", info.bytes_per_token)?;
        out.set_item("cpu_tier", weft_kernels::tier().to_string())?;
        out.set_item("threads", engine.threads())?;
        Ok(out)
    }

    fn encoder(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let engine = self.engine()?;
        enter(py, || engine.encoder())
    }

    fn begin(&self, py: Python<'_>) -> PyResult<Writer> {
        let engine = self.engine()?;
        enter(py, || engine.begin()).map(Writer::new)
    }

    #[pyo3(signature = (queries, k, *, words=None, mode="semantic", filter=None, fusion="rrf", weights=None, exact=false, nprobe=None, ndocs=None, centroid_score_threshold=None, group=false, texts=true, threads=None, profile=None))]
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the keywords of Index.search"
    )]
    fn search(
        &self,
        py: Python<'_>,
        queries: Vec<Bound<'_, PyAny>>,
        k: usize,
        words: Option<Vec<String>>,
        mode: &str,
        filter: Option<&str>,
        fusion: &str,
        weights: Option<(f64, f64)>,
        exact: bool,
        nprobe: Option<usize>,
        ndocs: Option<usize>,
        centroid_score_threshold: Option<f32>,
        group: bool,
        texts: bool,
        threads: Option<usize>,
        profile: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Vec<Vec<HitTuple>>> {
        let engine = self.engine()?;
        let mut matrices: Vec<Matrix> = Vec::with_capacity(queries.len());
        for (i, query) in queries.iter().enumerate() {
            let matrix = Matrix::read(query, &format!("queries[{i}]"))?;
            if let Some(first) = matrices
                .first()
                .filter(|first| first.columns != matrix.columns)
            {
                let (dim, expected) = (matrix.columns, first.columns);
                return Err(invalid(format!(
                    "queries[{i}] has dimension {dim}, queries[0] has {expected}"
                )));
            }
            matrices.push(matrix);
        }
        let mode = self::mode(mode, fusion, weights)?;
        let dim = matrices.first().map_or(0, |m| m.columns);
        let words = words.unwrap_or_default();
        if matrices.is_empty() && (mode == Mode::Semantic || words.is_empty()) {
            return Ok(Vec::new());
        }
        let params = SearchParams {
            k,
            nprobe,
            ndocs,
            centroid_score_threshold,
            exact,
        };
        let options = SearchOptions {
            mode,
            words,
            filter: optional(py, filter)?,
            group,
            texts,
            threads,
        };
        let asked = profile.is_some();
        let (lists, profiled) = enter(py, || {
            let queries: Vec<&[f32]> = matrices.iter().map(|m| m.values.as_slice()).collect();
            match asked {
                true => engine
                    .search_profiled(&queries, dim, &params, &options)
                    .map(|(lists, profile)| (lists, Some(profile))),
                false => engine
                    .search(&queries, dim, &params, &options)
                    .map(|lists| (lists, None)),
            }
        })?;
        if let (Some(out), Some(profiled)) = (profile, profiled) {
            fill(out, &profiled)?;
        }
        Ok(lists
            .into_iter()
            .map(|list| list.into_iter().map(hit).collect())
            .collect())
    }

    #[pyo3(signature = (filter, after, limit))]
    fn select(
        &self,
        py: Python<'_>,
        filter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<String>> {
        let (engine, filter) = (self.engine()?, optional(py, filter)?);
        enter(py, || engine.select(filter.as_ref(), after, limit))
    }

    #[pyo3(signature = (filter, after, limit))]
    fn documents(
        &self,
        py: Python<'_>,
        filter: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> PyResult<Vec<DocumentTuple>> {
        let (engine, filter) = (self.engine()?, optional(py, filter)?);
        let documents = enter(py, || engine.documents(filter.as_ref(), after, limit))?;
        Ok(documents.into_iter().map(document).collect())
    }

    #[pyo3(signature = (filter, cursor, limit))]
    fn walk_ids(
        &self,
        py: Python<'_>,
        filter: Option<&str>,
        cursor: Option<(u32, u32)>,
        limit: usize,
    ) -> PyResult<(Vec<String>, (u32, u32))> {
        let (engine, filter) = (self.engine()?, optional(py, filter)?);
        let mut cursor = begun(cursor);
        let page = enter(py, || engine.walk_ids(filter.as_ref(), &mut cursor, limit))?;
        Ok((page, pair(cursor)))
    }

    #[pyo3(signature = (filter, cursor, limit))]
    fn walk(
        &self,
        py: Python<'_>,
        filter: Option<&str>,
        cursor: Option<(u32, u32)>,
        limit: usize,
    ) -> PyResult<(Vec<DocumentTuple>, (u32, u32))> {
        let (engine, filter) = (self.engine()?, optional(py, filter)?);
        let mut cursor = begun(cursor);
        let page = enter(py, || engine.walk(filter.as_ref(), &mut cursor, limit))?;
        Ok((page.into_iter().map(document).collect(), pair(cursor)))
    }

    #[pyo3(signature = (filter))]
    fn count(&self, py: Python<'_>, filter: Option<&str>) -> PyResult<u64> {
        let (engine, filter) = (self.engine()?, optional(py, filter)?);
        enter(py, || engine.count(filter.as_ref()))
    }

    fn get(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<Vec<Option<DocumentTuple>>> {
        let engine = self.engine()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let documents = enter(py, || engine.get(&ids))?;
        Ok(documents.into_iter().map(|d| d.map(document)).collect())
    }

    #[pyo3(signature = (after, limit))]
    fn ids(&self, py: Python<'_>, after: Option<&str>, limit: usize) -> PyResult<Vec<String>> {
        let engine = self.engine()?;
        enter(py, || engine.ids(after, limit))
    }

    #[pyo3(signature = (query, id, passage=None))]
    fn explain(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        id: &str,
        passage: Option<u32>,
    ) -> PyResult<ExplanationTuple> {
        let engine = self.engine()?;
        let query = Matrix::read(query, "query")?;
        let (passage, score, matches) = enter(py, || {
            engine.explain(&query.values, query.columns, id, passage)
        })?;
        Ok((
            passage,
            score,
            matches.iter().map(|m| (m.token, m.similarity)).collect(),
        ))
    }

    fn vectors<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        passage: u32,
    ) -> PyResult<(Bound<'py, PyBytes>, usize, usize)> {
        let engine = self.engine()?;
        let (values, dim) = enter(py, || engine.vectors(id, passage))?;
        Ok((
            bytes(py, &values, f32::to_le_bytes)?,
            values.len() / dim,
            dim,
        ))
    }

    fn codebook<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let engine = self.engine()?;
        let Some(parts) = enter(py, || engine.codebook())? else {
            return Ok(None);
        };
        let out = PyDict::new(py);
        out.set_item("dim", parts.dim)?;
        out.set_item("nbits", parts.nbits)?;
        out.set_item("codec", parts.codec.name())?;
        out.set_item("exact", parts.centroid_type.name())?;
        for (name, values) in [
            ("centroids", &parts.centroids),
            ("cutoffs", &parts.tables.cutoffs),
            ("weights", &parts.tables.weights),
        ] {
            out.set_item(name, bytes(py, values, f32::to_le_bytes)?)?;
        }
        Ok(Some(out))
    }

    fn codes<'py>(&self, py: Python<'py>, ids: Vec<String>) -> PyResult<CodesTuple<'py>> {
        let engine = self.engine()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let found = enter(py, || engine.codes(&ids))?;
        Ok((
            found.lengths,
            bytes(py, &found.codes, u32::to_le_bytes)?,
            PyBytes::new(py, &found.residuals),
        ))
    }

    fn delete(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<u64> {
        let engine = self.engine()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        enter(py, || engine.delete(&ids))
    }

    fn delete_where(&self, py: Python<'_>, filter: &str) -> PyResult<u64> {
        let (engine, filter) = (self.engine()?, engine::filter(py, filter)?);
        enter(py, || engine.delete_where(&filter))
    }

    #[pyo3(signature = (progress=None))]
    fn compact<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let engine = self.engine()?;
        let compacted = enter(py, || {
            reported(progress.as_ref(), |progress| engine.compact(progress))
        })?;
        let out = PyDict::new(py);
        out.set_item("bytes_before", compacted.bytes_before)?;
        out.set_item("bytes_after", compacted.bytes_after)?;
        out.set_item("segments_before", compacted.segments_before)?;
        out.set_item("segments_after", compacted.segments_after)?;
        Ok(out)
    }

    fn check(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let engine = self.engine()?;
        enter(py, || engine.check())
    }

    /// `nprobe, ndocs` of a search that names none.
    fn search_defaults(&self, py: Python<'_>, k: usize) -> PyResult<(usize, usize)> {
        let engine = self.engine()?;
        let params = enter(py, || engine.search_defaults(k))?;
        Ok((params.nprobe, params.ndocs))
    }

    #[pyo3(signature = (*, k, nprobe, ndocs, target, overlap, standard_error, queries, passages))]
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the members of what is stored"
    )]
    fn set_tuned(
        &self,
        py: Python<'_>,
        k: usize,
        nprobe: usize,
        ndocs: usize,
        target: f64,
        overlap: f64,
        standard_error: f64,
        queries: u64,
        passages: u64,
    ) -> PyResult<()> {
        let engine = self.engine()?;
        let tuned = Tuned {
            k,
            nprobe,
            ndocs,
            target,
            overlap,
            standard_error,
            queries,
            passages,
        };
        enter(py, || engine.set_tuned(&tuned))
    }

    #[pyo3(signature = (k=None))]
    fn reset_tuned(&self, py: Python<'_>, k: Option<usize>) -> PyResult<u64> {
        let engine = self.engine()?;
        enter(py, || engine.reset_tuned(k))
    }

    fn close(&self) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
