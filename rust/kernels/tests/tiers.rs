//! Every tier this machine runs gives the scalar tier's bits, on random shapes and extreme values.

mod common;

use common::{Compressed, Random, STYLES, Style, bits};
use proptest::prelude::*;
use weft_kernels::*;

fn dims() -> impl Strategy<Value = usize> {
    (1usize..=32).prop_map(|eights| eights * 8)
}

fn styles() -> impl Strategy<Value = Style> {
    proptest::sample::select(STYLES.to_vec())
}

/// The tiers to hold against scalar.
fn others() -> impl Iterator<Item = Tier> {
    available().into_iter().filter(|&tier| tier != Tier::Scalar)
}

proptest! {
    #[test]
    fn centroid_scores_agree(
        dim in dims(), tokens in 1usize..70, k in 0usize..200, step in 0.001f32..0.1,
        query_style in styles(), style in styles(), seed: u64,
    ) {
        let mut random = Random(seed);
        let query = Query::new(&random.floats(tokens * dim, query_style), tokens, dim);
        let centroids = random.bytes(k * dim, style);
        let scales: Vec<f32> = (0..k).map(|_| random.float().abs() / 127.0).collect();
        let mut expected = vec![1; k * query.lanes()];
        centroid_scores_at(Tier::Scalar, &centroids, &scales, &query, step, &mut expected);
        for tier in others() {
            let mut cells = vec![2; k * query.lanes()];
            centroid_scores_at(tier, &centroids, &scales, &query, step, &mut cells);
            prop_assert_eq!(&cells, &expected, "{}", tier);
        }
    }

    #[test]
    fn next_above_agrees(
        panels in 1usize..6, k in 0usize..200, top in 1usize..=256, start in 0usize..210, seed: u64,
    ) {
        let mut random = Random(seed);
        let lanes = panels * LANES;
        let rows: Vec<u8> = (0..k * lanes).map(|_| random.below(top) as u8).collect();
        // Thresholds close to the largest cell make hits rare and tails likely.
        let limits: Vec<u8> =
            (0..lanes).map(|_| top.saturating_sub(1 + random.below(2)).min(255) as u8).collect();
        let expected = next_above_at(Tier::Scalar, &rows, lanes, start, &limits);
        for tier in others() {
            prop_assert_eq!(next_above_at(tier, &rows, lanes, start, &limits), expected, "{}", tier);
        }
    }

    #[test]
    fn interactions_agree(
        panels in 1usize..6, k in 1usize..200, lengths in prop::collection::vec(0usize..400, 0..8),
        style in styles(), kept in 0u64..4, seed: u64,
    ) {
        let mut random = Random(seed);
        let lanes = panels * LANES;
        let rows = random.bytes(k * lanes, style);
        let mut ends = Vec::new();
        for length in lengths {
            ends.push(ends.last().copied().unwrap_or(0) + length as u32);
        }
        let codes: Vec<u32> =
            (0..ends.last().copied().unwrap_or(0)).map(|_| random.below(k) as u32).collect();
        let keep: Vec<u64> = (0..k.div_ceil(64))
            .map(|_| match kept { 0 => 0, 1 => u64::MAX, _ => random.next() & random.next() })
            .collect();
        let mut expected = vec![0; ends.len()];
        let mut scores = vec![1; ends.len()];
        interactions_at(Tier::Scalar, &rows, lanes, &codes, &ends, &mut expected);
        for tier in others() {
            interactions_at(tier, &rows, lanes, &codes, &ends, &mut scores);
            prop_assert_eq!(&scores, &expected, "{}", tier);
        }
        interactions_pruned_at(Tier::Scalar, &rows, lanes, &codes, &ends, &keep, &mut expected);
        for tier in others() {
            interactions_pruned_at(tier, &rows, lanes, &codes, &ends, &keep, &mut scores);
            prop_assert_eq!(&scores, &expected, "{} pruned", tier);
        }
    }

    #[test]
    fn residual_maxsim_agrees(
        dim in dims(), tokens in 1usize..70, k in 1usize..200, n in 0usize..50,
        nbits in proptest::sample::select(vec![1u32, 2, 4, 8]), style in styles(), seed: u64,
    ) {
        let mut random = Random(seed);
        let query = Query::new(&random.floats(tokens * dim, style), tokens, dim);
        let rows = random.bytes(k * query.lanes(), Style::Random);
        let doc = Compressed::new(&mut random, dim, nbits, n, k);
        let run = |tier| {
            let mut maxima = vec![0.0; query.lanes()];
            let score = residual_maxsim_at(
                tier, &query, &doc.table, &rows, 0.01, &doc.codes, &doc.residuals,
                &doc.inv_norms, &mut maxima,
            );
            (score.to_bits(), bits(&maxima))
        };
        let expected = run(Tier::Scalar);
        for tier in others() {
            prop_assert_eq!(run(tier), expected.clone(), "{}", tier);
        }
    }

    #[test]
    fn decode_agrees(
        dim in dims(), k in 1usize..200, n in 0usize..20,
        nbits in proptest::sample::select(vec![1u32, 2, 4, 8]), seed: u64,
    ) {
        let mut random = Random(seed);
        let centroids = random.floats(k * dim, Style::Random);
        let doc = Compressed::new(&mut random, dim, nbits, n, k);
        let run = |tier| {
            let mut out = vec![0.0; n * dim];
            decode_at(
                tier, &doc.table, dim, &centroids, &doc.codes, &doc.residuals, &doc.inv_norms,
                &mut out,
            );
            bits(&out)
        };
        let expected = run(Tier::Scalar);
        for tier in others() {
            prop_assert_eq!(run(tier), expected.clone(), "{}", tier);
        }
    }

    #[test]
    fn exact_maxsim_agrees(
        dim in dims(), tokens in 1usize..70, n in 0usize..50, style in styles(), seed: u64,
    ) {
        let mut random = Random(seed);
        let query = Query::new(&random.floats(tokens * dim, style), tokens, dim);
        let document = random.floats(n * dim, Style::Random);
        let mut halves = vec![0; document.len()];
        f32_to_f16(&document, &mut halves);
        let run = |tier| {
            let mut wide = vec![f32::NEG_INFINITY; query.lanes()];
            let mut narrow = wide.clone();
            maxsim_f32_at(tier, &query, &document, &mut wide);
            maxsim_f16_at(tier, &query, &halves, &mut narrow);
            (bits(&wide), bits(&narrow))
        };
        let expected = run(Tier::Scalar);
        for tier in others() {
            prop_assert_eq!(run(tier), expected.clone(), "{}", tier);
        }
    }

    #[test]
    fn nearest_and_dots_agree(
        dim in dims(), k in 0usize..200, n in 0usize..120, points_style in styles(),
        style in styles(), offset in 0u32..100, seed: u64,
    ) {
        let mut random = Random(seed);
        let panels = CentroidPanels::new(&random.floats(k * dim, style), dim);
        let points = random.floats(n * dim, points_style);
        let run = |tier| {
            let (mut best, mut score) = (vec![0; n], vec![0.0; n]);
            nearest_at(tier, &points, &panels, &mut best, &mut score);
            let alone = best.clone();
            // The same centroids under higher numbers and then under their own: every product ties
            // with an earlier one, and the lower number wins from either side.
            best.fill(u32::MAX);
            score.fill(f32::NEG_INFINITY);
            nearest_into_at(tier, &points, &panels, offset + 1, &mut best, &mut score);
            nearest_into_at(tier, &points, &panels, 0, &mut best, &mut score);
            nearest_into_at(tier, &points, &panels, offset, &mut best, &mut score);
            assert_eq!(best, alone, "{tier}");
            let mut products = vec![0.0; n * k];
            dots_at(tier, &points, &panels, &mut products);
            (best, bits(&score), bits(&products))
        };
        let expected = run(Tier::Scalar);
        for tier in others() {
            prop_assert_eq!(run(tier), expected.clone(), "{}", tier);
        }
    }

    #[test]
    fn halves_agree(patterns in prop::collection::vec(any::<u32>(), 0..100)) {
        let values: Vec<f32> = patterns.iter().map(|&bits| f32::from_bits(bits)).collect();
        let run = |tier| {
            let mut halves = vec![0; values.len()];
            f32_to_f16_at(tier, &values, &mut halves);
            halves
        };
        let expected = run(Tier::Scalar);
        for tier in others() {
            prop_assert_eq!(run(tier), expected.clone(), "{}", tier);
        }
    }
}

#[test]
fn every_half_widens_and_returns_alike() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    let mut expected = vec![0.0; halves.len()];
    f16_to_f32_at(Tier::Scalar, &halves, &mut expected);
    for tier in others() {
        let mut wide = vec![0.0; halves.len()];
        f16_to_f32_at(tier, &halves, &mut wide);
        assert_eq!(bits(&wide), bits(&expected), "{tier}");
    }
}

/// The largest sums the integer path can meet: every byte 255 or 0, every query value 63 or -63.
#[test]
fn nothing_saturates_in_the_corner() {
    for (byte, value) in [(255u8, 1.0f32), (255, -1.0), (0, 1.0), (0, -1.0)] {
        for dim in [8, 128, 1024] {
            let query = Query::new(&vec![value; 17 * dim], 17, dim);
            let centroids = vec![byte; 7 * dim];
            let dot = (i32::from(byte) - 128) as f32 * 63.0 * value * dim as f32;
            let step = dot.abs() * (1.0 / 63.0) / 100.0;
            for tier in available() {
                let mut cells = vec![0; 7 * 32];
                centroid_scores_at(tier, &centroids, &[1.0; 7], &query, step, &mut cells);
                let cell = if dot > 0.0 { 228 } else { 28 };
                let expected: Vec<u8> = (0..7 * 32)
                    .map(|i| if i % 32 < 17 { cell } else { 0 })
                    .collect();
                assert_eq!(cells, expected, "{tier} at {dim} dimensions, byte {byte}");
            }
        }
    }
}
