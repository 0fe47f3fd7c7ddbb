//! Builds small indexes with next-plaid, in the states that an importer meets, and asks them the shared queries.
//!
//! `next-plaid-goldens VECTORS DOCLENS METADATA QUERIES OUT`: float32 `.npy` [tokens, dim], a JSON list of tokens per document,
//! a JSON list of one object per document, float32 `.npy` [queries, query tokens, dim], and a directory to be made. Writes `OUT/<state>/` as
//! the library leaves it, and `OUT/<state>.json`: how it was made, which documents it holds, parameters and results.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;

use ndarray::{Array2, Array3, Axis, s};
use ndarray_npy::ReadNpyExt;
use next_plaid::{IndexConfig, MmapIndex, SearchParameters, UpdateConfig, filtering, index};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What every state is made from.
struct Given {
    documents: Vec<Array2<f32>>,
    metadata: Vec<Value>,
    queries: Array3<f32>,
}

impl Given {
    fn read(vectors: &str, lengths: &str, metadata: &str, queries: &str) -> Outcome<Given> {
        let vectors = Array2::<f32>::read_npy(File::open(vectors)?)?;
        let lengths: Vec<usize> = serde_json::from_reader(File::open(lengths)?)?;
        let metadata: Vec<Value> = serde_json::from_reader(File::open(metadata)?)?;
        let mut start = 0;
        let mut documents = Vec::new();
        for length in lengths.into_iter().take(metadata.len()) {
            documents.push(vectors.slice(s![start..start + length, ..]).to_owned());
            start += length;
        }
        let queries = Array3::<f32>::read_npy(File::open(queries)?)?;
        Ok(Given {
            documents,
            metadata,
            queries,
        })
    }
}

/// Makes one state and returns the documents that it holds.
type Make = fn(&Given, &str) -> Outcome<Vec<usize>>;

fn settings(nbits: usize) -> IndexConfig {
    IndexConfig {
        nbits,
        start_from_scratch: 0,
        ..IndexConfig::default()
    }
}

fn changes(buffer_size: usize) -> UpdateConfig {
    UpdateConfig {
        start_from_scratch: 0,
        buffer_size,
        ..UpdateConfig::default()
    }
}

fn without(given: &Given, removed: &[usize]) -> Vec<usize> {
    (0..given.documents.len())
        .filter(|n| !removed.contains(n))
        .collect()
}

fn remove(path: &str, removed: &[usize]) -> Outcome<()> {
    let ids: Vec<i64> = removed.iter().map(|&n| n as i64).collect();
    MmapIndex::load(path)?.delete(&ids)?;
    Ok(())
}

/// The files as they are before anything opens them: without merged copies.
fn plain(given: &Given, path: &str, nbits: usize) -> Outcome<Vec<usize>> {
    index::create_index_with_kmeans_files(&given.documents, path, &settings(nbits))?;
    Ok(without(given, &[]))
}

/// Opened, so that merged copies lie beside the chunks; metadata by the filtering module alone.
fn opened(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    MmapIndex::create_with_kmeans(&given.documents, path, &settings(2))?;
    let ids: Vec<i64> = (0..).take(given.documents.len()).collect();
    filtering::create(path, &given.metadata, &ids)?;
    Ok(without(given, &[]))
}

/// Four documents and the library's own threshold: raw vectors stay in `embeddings.npy`.
fn small(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    index::create_index_with_kmeans_files(&given.documents[..4], path, &IndexConfig::default())?;
    Ok((0..4).collect())
}

/// Nine documents, then three that are coded and whose raw vectors stay in `buffer.npy`.
fn buffered(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    MmapIndex::create_with_kmeans(&given.documents[..9], path, &settings(2))?
        .update(&given.documents[9..], &changes(100))?;
    Ok(without(given, &[]))
}

/// Eight documents, two in the buffer, two more: the centroids grow. Then two are deleted. With metadata and keywords.
fn expanded(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    for (from, to) in [(0, 8), (8, 10), (10, 12)] {
        let (documents, metadata) = (&given.documents[from..to], &given.metadata[from..to]);
        let (new, old) = (settings(2), changes(4));
        MmapIndex::update_or_create_with_metadata(documents, path, &new, &old, Some(metadata))?;
    }
    remove(path, &[2, 10])?;
    Ok(without(given, &[2, 10]))
}

/// Three chunks, from which three documents are deleted.
fn chunked(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    let config = IndexConfig {
        batch_size: 5,
        ..settings(4)
    };
    index::create_index_with_kmeans_files(&given.documents, path, &config)?;
    remove(path, &[0, 6, 11])?;
    Ok(without(given, &[0, 6, 11]))
}

/// Signs instead of residuals, which releases before 1.7 do not know.
#[cfg(feature = "binary")]
fn binary(given: &Given, path: &str) -> Outcome<Vec<usize>> {
    let config = IndexConfig {
        binary: true,
        ..settings(1)
    };
    index::create_index_with_kmeans_files(&given.documents, path, &config)?;
    Ok(without(given, &[]))
}

const STATES: &[(&str, &str, Make)] = &[
    ("1bit", "create_index_with_kmeans_files", |given, path| {
        plain(given, path, 1)
    }),
    ("2bit", "create_with_kmeans, filtering::create", opened),
    (
        "4bit-small",
        "4 documents, start_from_scratch 999: embeddings.npy",
        small,
    ),
    (
        "4bit-chunked",
        "three chunks (batch_size 5), then documents 0, 6 and 11 deleted",
        chunked,
    ),
    (
        "buffered",
        "9 documents, then 3 that stay in the buffer as well",
        buffered,
    ),
    (
        "expanded",
        "8 documents, 2 in the buffer, 2 more: centroids grow; then 2 and 10 deleted; metadata and keywords",
        expanded,
    ),
    #[cfg(feature = "binary")]
    (
        "binary",
        "IndexConfig.binary: signs instead of residuals",
        binary,
    ),
];

/// Searches a copy, since opening an index writes into it.
fn answers(given: &Given, path: &Path) -> Outcome<Value> {
    let copy = path.with_extension("opened");
    fs::create_dir_all(&copy)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        fs::copy(entry.path(), copy.join(entry.file_name()))?;
    }
    let index = MmapIndex::load(copy.to_str().ok_or("a path that is no text")?)?;
    let parameters = SearchParameters::default();
    let mut results = Vec::new();
    for query in given.queries.axis_iter(Axis(0)) {
        let found = index.search(&query.to_owned(), &parameters, None)?;
        let rows = found.passage_ids.iter().zip(&found.scores);
        results.push(
            rows.map(|(id, score)| json!([id, score]))
                .collect::<Vec<_>>(),
        );
    }
    let mut about = serde_json::to_value(&parameters)?;
    about["results"] = json!(results);
    #[cfg(feature = "binary")]
    let binary = index.metadata.binary;
    #[cfg(not(feature = "binary"))]
    let binary = false;
    let decoded = if binary {
        None
    } else {
        Some(index.reconstruct_single(0)?)
    };
    let rows = decoded.map(|rows| {
        rows.outer_iter()
            .map(|row| row.to_vec())
            .collect::<Vec<_>>()
    });
    let metadata = filtering::exists(copy.to_str().ok_or("a path that is no text")?)
        .then(|| filtering::get(copy.to_str().unwrap_or_default(), None, &[], None))
        .transpose()?;
    Ok(json!({ "searches": [about], "decoded": rows, "metadata": metadata }))
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [vectors, lengths, metadata, queries, out] = &arguments[..] else {
        return Err("VECTORS DOCLENS METADATA QUERIES OUT".into());
    };
    let given = Given::read(vectors, lengths, metadata, queries)?;
    for &(name, made, make) in STATES {
        let path = Path::new(out).join(name);
        fs::create_dir_all(&path)?;
        let passages = make(&given, path.to_str().ok_or("a path that is no text")?)?;
        let mut about = answers(&given, &path)?;
        about["made"] = json!(made);
        about["passages"] = json!(passages);
        fs::write(path.with_extension("json"), about.to_string())?;
    }
    Ok(())
}
