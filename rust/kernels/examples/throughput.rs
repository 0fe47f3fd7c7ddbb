//! How fast is every operation on every tier of this machine?
//!
//! `cargo run --release -p weft-kernels --example throughput [FILTER]` prints the median and the best of repeated
//! runs on one thread (rates are those of the best run: other work on the machine does not count), for 32 query tokens, documents of 70 tokens, and mostly 128 dimensions. Every
//! operation is first held against the scalar tier on the same input; inputs are seeded.

#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{Compressed, Random, Style, bits};
use weft_kernels::*;

/// Takes the tier and the peak in GFLOP/s.
type Bench = fn(Tier, f64);

const TOKENS: usize = 32;
const DOCUMENT: usize = 70;

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    println!("tiers: {:?}, running on {}", available(), tier());
    let peak = fused_peak();
    println!("fused multiply-add peak of one core, 256 bits: {peak:.1} GFLOP/s");
    let benches: [(&str, Bench); 7] = [
        ("centroid", centroid),
        ("scan", scan),
        ("interaction", interaction),
        ("residual", residual),
        ("decode", decode_rows),
        ("exact", exact),
        ("nearest", nearest_centroid),
    ];
    for (name, bench) in benches {
        for tier in available() {
            if name.contains(filter.as_str()) {
                bench(tier, peak);
            }
        }
    }
}

/// Times of one operation.
struct Timing {
    median: Duration,
    /// The shortest: what the operation needs when nothing else disturbs the machine.
    best: Duration,
}

/// Repeats a run for at least 7 times and half a second.
fn measure(mut run: impl FnMut()) -> Timing {
    run();
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < 7 || start.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    Timing {
        median: times[times.len() / 2],
        best: times[0],
    }
}

fn report(tier: Tier, what: &str, time: Timing, items: usize, unit: &str, extra: String) {
    let [median, best] =
        [time.median, time.best].map(|time| time.as_secs_f64() * 1e9 / items as f64);
    println!("{tier:<8}{what:<44}{median:>9.2} {best:>9.2} ns/{unit:<9} {extra}");
}

fn query(random: &mut Random, dim: usize) -> Query {
    Query::new(&random.floats(TOKENS * dim, Style::Random), TOKENS, dim)
}

fn centroid(tier: Tier, _: f64) {
    for (dim, k) in [(128, 1 << 16), (96, 1 << 16), (128, 1 << 12)] {
        let mut random = Random(1);
        let query = query(&mut random, dim);
        let centroids = random.bytes(k * dim, Style::Random);
        let scales: Vec<f32> = (0..k).map(|_| random.float().abs() / 127.0).collect();
        let mut cells = vec![0; k * TOKENS];
        let mut expected = vec![0; 64 * TOKENS];
        let first = &centroids[..64 * dim];
        centroid_scores_at(
            Tier::Scalar,
            first,
            &scales[..64],
            &query,
            0.05,
            &mut expected,
        );
        centroid_scores_at(tier, &centroids, &scales, &query, 0.05, &mut cells);
        assert_eq!(cells[..64 * TOKENS], expected);
        let time = measure(|| {
            centroid_scores_at(
                tier,
                &centroids,
                &scales,
                &query,
                0.05,
                black_box(&mut cells),
            );
        });
        let rate = 2.0 * (k * dim * TOKENS) as f64 / time.best.as_secs_f64() / 1e9;
        let extra = format!("{:.2} ms, {rate:.0} GOP/s", time.best.as_secs_f64() * 1e3);
        report(
            tier,
            &format!("centroid_scores K={k} dim={dim}"),
            time,
            k,
            "centroid",
            extra,
        );
    }
}

fn scan(tier: Tier, _: f64) {
    let k = 1 << 16;
    let rows = vec![100u8; k * TOKENS];
    let limits = [100u8; TOKENS];
    assert_eq!(next_above_at(tier, &rows, TOKENS, 0, &limits), None);
    let time = measure(|| {
        black_box(next_above_at(tier, black_box(&rows), TOKENS, 0, &limits));
    });
    let extra = format!("{:.3} ms", time.best.as_secs_f64() * 1e3);
    report(tier, &format!("next_above K={k}"), time, k, "row", extra);
}

fn interaction(tier: Tier, _: f64) {
    for k in [1 << 12, 1 << 16, 1 << 18, 1 << 20] {
        let mut random = Random(2);
        let documents = 4000;
        let rows = random.bytes(k * TOKENS, Style::Random);
        let codes: Vec<u32> = (0..documents * DOCUMENT)
            .map(|_| random.below(k) as u32)
            .collect();
        let ends: Vec<u32> = (1..=documents).map(|i| (i * DOCUMENT) as u32).collect();
        let mut scores = vec![0; documents];
        let mut expected = vec![0; documents];
        interactions_at(Tier::Scalar, &rows, TOKENS, &codes, &ends, &mut expected);
        interactions_at(tier, &rows, TOKENS, &codes, &ends, &mut scores);
        assert_eq!(scores, expected);
        let time = measure(|| {
            interactions_at(tier, &rows, TOKENS, &codes, &ends, black_box(&mut scores));
        });
        report(
            tier,
            &format!("interactions K={k}"),
            time,
            codes.len(),
            "code",
            String::new(),
        );
        // One centroid in four kept.
        let keep: Vec<u64> = (0..k / 64).map(|_| random.next() & random.next()).collect();
        let time = measure(|| {
            let scores = black_box(&mut scores);
            interactions_pruned_at(tier, &rows, TOKENS, &codes, &ends, &keep, scores);
        });
        let what = format!("interactions_pruned K={k}, 1 in 4 kept");
        report(tier, &what, time, codes.len(), "code", String::new());
    }
}

fn residual(tier: Tier, _: f64) {
    let k = 1 << 16;
    for (dim, nbits, documents) in [
        (128, 1, 64),
        (128, 2, 64),
        (128, 4, 64),
        (128, 8, 64),
        (96, 2, 64),
        (128, 2, 8192),
    ] {
        let mut random = Random(3);
        let query = query(&mut random, dim);
        let rows = random.bytes(k * TOKENS, Style::Random);
        let all = Compressed::new(&mut random, dim, nbits, documents * DOCUMENT, k);
        let bytes = row_bytes(dim, nbits);
        let mut order: Vec<usize> = (0..documents).collect();
        for i in (1..documents).rev() {
            order.swap(i, random.below(i + 1));
        }
        let mut maxima = vec![0.0; TOKENS];
        let mut score = |tier, document: usize| {
            let first = document * DOCUMENT;
            residual_maxsim_at(
                tier,
                &query,
                &all.table,
                &rows,
                0.01,
                &all.codes[first..][..DOCUMENT],
                &all.residuals[first * bytes..][..DOCUMENT * bytes],
                &all.inv_norms[first..][..DOCUMENT],
                &mut maxima,
            )
        };
        assert_eq!(score(tier, 5).to_bits(), score(Tier::Scalar, 5).to_bits());
        let time = measure(|| {
            for &document in &order {
                black_box(score(tier, document));
            }
        });
        let what = format!("residual_maxsim {nbits} bits dim={dim}, {documents} documents");
        report(
            tier,
            &what,
            time,
            documents * DOCUMENT,
            "token",
            String::new(),
        );
    }
}

fn decode_rows(tier: Tier, _: f64) {
    let (dim, k, n) = (128, 4096, 1000);
    for nbits in [1, 2, 4, 8] {
        let mut random = Random(4);
        let centroids = random.floats(k * dim, Style::Random);
        let all = Compressed::new(&mut random, dim, nbits, n, k);
        let run = |tier, out: &mut [f32]| {
            let inv_norms = &all.inv_norms;
            decode_at(
                tier,
                &all.table,
                dim,
                &centroids,
                &all.codes,
                &all.residuals,
                inv_norms,
                out,
            );
        };
        let (mut out, mut expected) = (vec![0.0; n * dim], vec![0.0; n * dim]);
        run(tier, &mut out);
        run(Tier::Scalar, &mut expected);
        assert_eq!(bits(&out), bits(&expected));
        let time = measure(|| run(tier, black_box(&mut out)));
        report(
            tier,
            &format!("decode {nbits} bits dim={dim}"),
            time,
            n,
            "token",
            String::new(),
        );
    }
}

fn exact(tier: Tier, peak: f64) {
    let (dim, n) = (128, 64 * DOCUMENT);
    let mut random = Random(5);
    let query = query(&mut random, dim);
    let document = random.floats(n * dim, Style::Random);
    let mut halves = vec![0; n * dim];
    f32_to_f16(&document, &mut halves);
    let mut maxima = vec![f32::NEG_INFINITY; TOKENS];
    let mut expected = maxima.clone();
    maxsim_f32_at(tier, &query, &document, &mut maxima);
    maxsim_f32_at(Tier::Scalar, &query, &document, &mut expected);
    assert_eq!(bits(&maxima), bits(&expected));
    let rate = |time: &Timing| {
        let rate = 2.0 * (n * dim * TOKENS) as f64 / time.best.as_secs_f64() / 1e9;
        format!("{rate:.1} GFLOP/s, {:.0}% of peak", rate / peak * 100.0)
    };
    let time = measure(|| maxsim_f32_at(tier, &query, &document, black_box(&mut maxima)));
    let extra = rate(&time);
    report(
        tier,
        &format!("maxsim_f32 dim={dim}"),
        time,
        n,
        "token",
        extra,
    );
    let time = measure(|| maxsim_f16_at(tier, &query, &halves, black_box(&mut maxima)));
    let extra = rate(&time);
    report(
        tier,
        &format!("maxsim_f16 dim={dim}"),
        time,
        n,
        "token",
        extra,
    );
    let mut wide = vec![0.0; n * dim];
    let time = measure(|| f16_to_f32_at(tier, &halves, black_box(&mut wide)));
    report(tier, "f16_to_f32", time, n * dim, "value", String::new());
    let time = measure(|| f32_to_f16_at(tier, &document, black_box(&mut halves)));
    report(tier, "f32_to_f16", time, n * dim, "value", String::new());
}

fn nearest_centroid(tier: Tier, peak: f64) {
    for (dim, k) in [(128, 4096), (96, 4096), (128, 1 << 16)] {
        let n = if tier == Tier::Scalar { 32 } else { 512 };
        let mut random = Random(6);
        let panels = CentroidPanels::new(&random.floats(k * dim, Style::Random), dim);
        let points = random.floats(n * dim, Style::Random);
        let (mut best, mut score) = (vec![0; n], vec![0.0; n]);
        let (mut expected, mut products) = (vec![0; 8], vec![0.0; 8]);
        nearest_at(
            Tier::Scalar,
            &points[..8 * dim],
            &panels,
            &mut expected,
            &mut products,
        );
        nearest_at(tier, &points, &panels, &mut best, &mut score);
        assert_eq!(best[..8], expected);
        let time = measure(|| nearest_at(tier, &points, &panels, black_box(&mut best), &mut score));
        let rate = 2.0 * (n * dim * k) as f64 / time.best.as_secs_f64() / 1e9;
        let extra = format!("{rate:.1} GFLOP/s, {:.0}% of peak", rate / peak * 100.0);
        report(
            tier,
            &format!("nearest K={k} dim={dim}"),
            time,
            n * k,
            "product",
            extra,
        );
    }
}

/// What twelve independent chains of 256-bit fused multiply-adds reach, in GFLOP/s.
#[cfg(target_arch = "x86_64")]
fn fused_peak() -> f64 {
    use std::arch::x86_64::*;
    #[target_feature(enable = "avx2,fma")]
    fn run(rounds: usize) -> f32 {
        let (a, b) = (
            _mm256_set1_ps(black_box(0.999)),
            _mm256_set1_ps(black_box(0.001)),
        );
        let mut chains = [_mm256_setzero_ps(); 12];
        for _ in 0..rounds {
            for chain in &mut chains {
                *chain = _mm256_fmadd_ps(*chain, a, b);
            }
        }
        chains.iter().map(|&chain| _mm256_cvtss_f32(chain)).sum()
    }
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        return f64::NAN;
    }
    let rounds = 1_000_000;
    let time = measure(|| {
        // SAFETY: both features were detected.
        black_box(unsafe { run(rounds) });
    });
    (rounds * 12 * 16) as f64 / time.best.as_secs_f64() / 1e9
}

/// Unknown elsewhere.
#[cfg(not(target_arch = "x86_64"))]
fn fused_peak() -> f64 {
    f64::NAN
}
