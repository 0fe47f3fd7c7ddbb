//! next-plaid as a process of the bench: reads one JSON object a line, answers with one. What each asks is written in
//! `benches/python/peers/worker.py`, whose twin this is.

mod npy;

use std::error::Error;
use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use ndarray::Array2;
use next_plaid::{IndexConfig, MmapIndex, SearchParameters};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Default)]
struct Process {
    index: Option<MmapIndex>,
    queries: Vec<Array2<f32>>,
}

/// Resident bytes of this process: all, those that no file backs, and the most there ever were.
fn memory() -> Outcome<Value> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let field = |name: &str| -> Outcome<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|rest| rest.split_whitespace().nth(1));
        Ok(kib
            .ok_or_else(|| format!("no {name} in /proc/self/status"))?
            .parse::<u64>()?
            * 1024)
    };
    Ok(json!({ "rss": field("VmRSS")?, "anonymous": field("RssAnon")?, "peak": field("VmHWM")? }))
}

/// User and system time of this process in seconds, from ticks of a hundredth.
fn cpu_seconds() -> Outcome<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program, in brackets, may hold anything.
    let behind = text.rsplit(')').next().unwrap_or_default();
    let mut ticks = 0.0;
    for field in behind.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<f64>()?;
    }
    Ok(ticks / 100.0)
}

fn text<'a>(request: &'a Value, key: &str) -> Outcome<&'a str> {
    request[key]
        .as_str()
        .ok_or_else(|| format!("no text under {key}: {request}").into())
}

fn number(request: &Value, key: &str, otherwise: u64) -> usize {
    request[key].as_u64().unwrap_or(otherwise) as usize
}

fn parameters(given: &Value, k: usize) -> SearchParameters {
    let own = SearchParameters::default();
    SearchParameters {
        top_k: k,
        n_ivf_probe: number(given, "n_ivf_probe", own.n_ivf_probe as u64),
        n_full_scores: number(given, "n_full_scores", own.n_full_scores as u64),
        centroid_score_threshold: match &given["centroid_score_threshold"] {
            Value::Null => own.centroid_score_threshold,
            // Nothing scores below it, so that nothing is pruned.
            threshold => threshold.as_f64().map(|t| t as f32),
        },
        ..own
    }
}

impl Process {
    fn answer(&mut self, request: &Value) -> Outcome<Value> {
        match text(request, "do")? {
            "import" => Ok(
                json!({ "seconds": 0.0, "versions": { "next-plaid": "1.8.5" }, "bytes": program_bytes()?, "memory": memory()? }),
            ),
            "build" => self.build(request),
            "open" => self.open(request),
            "queries" => {
                self.queries = npy::matrices(
                    Path::new(text(request, "vectors")?),
                    "queries",
                    "query_lengths",
                )?;
                Ok(json!({ "queries": self.queries.len() }))
            }
            "search" => self.search(request),
            "memory" => memory(),
            other => Err(format!("do {other:?}: unknown").into()),
        }
    }

    fn build(&mut self, request: &Value) -> Outcome<Value> {
        let before = memory()?;
        let documents =
            npy::matrices(Path::new(text(request, "vectors")?), "documents", "lengths")?;
        let loaded = memory()?;
        let config = IndexConfig {
            nbits: number(&request["settings"], "nbits", 4),
            ..IndexConfig::default()
        };
        let started = Instant::now();
        MmapIndex::create_with_kmeans(&documents, text(request, "path")?, &config)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(json!({ "seconds": seconds, "before": before, "loaded": loaded, "memory": memory()? }))
    }

    fn open(&mut self, request: &Value) -> Outcome<Value> {
        let started = Instant::now();
        self.index = Some(MmapIndex::load(text(request, "path")?)?);
        Ok(json!({ "seconds": started.elapsed().as_secs_f64(), "memory": memory()? }))
    }

    fn search(&mut self, request: &Value) -> Outcome<Value> {
        let index = self.index.as_ref().ok_or("search before open")?;
        let parameters = parameters(&request["parameters"], number(request, "k", 10));
        let chosen = request["queries"].as_array().ok_or("no queries")?;
        let mut queries = Vec::new();
        for number in chosen {
            let query = number.as_u64().and_then(|n| self.queries.get(n as usize));
            queries.push(query.ok_or_else(|| format!("no query {number}"))?.clone());
        }
        let (mut nanoseconds, mut results) = (Vec::new(), Vec::new());
        let (cpu, whole) = (cpu_seconds()?, Instant::now());
        if request["batch"].as_bool().unwrap_or(false) {
            let started = Instant::now();
            results = index.search_batch(&queries, &parameters, true, None)?;
            nanoseconds.push(started.elapsed().as_nanos() as u64);
        } else {
            for query in &queries {
                let started = Instant::now();
                results.push(index.search(query, &parameters, None)?);
                nanoseconds.push(started.elapsed().as_nanos() as u64);
            }
        }
        let (cpu, wall) = (cpu_seconds()? - cpu, whole.elapsed().as_secs_f64());
        let ids: Vec<_> = results.iter().map(|r| r.passage_ids.clone()).collect();
        let scores: Vec<_> = results.iter().map(|r| r.scores.clone()).collect();
        Ok(
            json!({ "nanoseconds": nanoseconds, "ids": ids, "scores": scores, "cpu": cpu, "wall": wall }),
        )
    }
}

fn program_bytes() -> Outcome<u64> {
    Ok(std::fs::metadata(std::env::current_exe()?)?.len())
}

fn main() -> Outcome<()> {
    let mut process = Process::default();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let answer = process
            .answer(&request)
            .unwrap_or_else(|error| json!({ "error": error.to_string() }));
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
