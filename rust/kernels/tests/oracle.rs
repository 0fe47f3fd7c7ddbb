//! The scalar tier against definitions written anew in f64, within stated bounds.

mod common;

use common::{Compressed, Random, Style};
use proptest::prelude::*;
use weft_kernels::*;

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

/// Sum of magnitudes of the products: what rounding errors of a dot product scale with.
fn weight(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| (f64::from(a) * f64::from(b)).abs())
        .sum()
}

fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |m, &v| m.max(f64::from(v).abs()))
}

/// How far an int8 dot product may be from the true one: half a step of either side in each
/// dimension, with a little room for the f32 arithmetic around it.
fn quantisation_bound(query: &[f32], other: &[f32]) -> f64 {
    let (q, o) = (largest(query), largest(other));
    let (q_half, o_half) = (q / 63.0 / 2.0, o / 127.0 / 2.0);
    query.len() as f64 * (q * o_half + o * q_half + q_half * o_half) * 1.0001 + 1e-6
}

proptest! {
    #[test]
    fn centroid_scores_are_the_dot_products(
        eights in 1usize..=32, tokens in 1usize..40, k in 1usize..20, seed: u64,
    ) {
        let dim = eights * 8;
        let mut random = Random(seed);
        let values = random.floats(tokens * dim, Style::Random);
        let query = Query::new(&values, tokens, dim);
        let centroids = random.floats(k * dim, Style::Random);
        let (mut bytes, mut scales) = (vec![0; k * dim], vec![0.0; k]);
        quantise_centroids(&centroids, dim, &mut bytes, &mut scales);
        let step = 0.02f32;
        let mut cells = vec![0; k * query.lanes()];
        centroid_scores_at(Tier::Scalar, &bytes, &scales, &query, step, &mut cells);
        for (centroid, row) in centroids.chunks_exact(dim).zip(cells.chunks_exact(query.lanes())) {
            for (token, &cell) in values.chunks_exact(dim).zip(row) {
                let exact = dot(centroid, token);
                let bound = quantisation_bound(token, centroid) + 0.5001 * f64::from(step);
                let score = (f64::from(cell) - 128.0) * f64::from(step);
                match cell {
                    0 => prop_assert!(exact <= score + bound),
                    255 => prop_assert!(exact >= score - bound),
                    _ => prop_assert!((score - exact).abs() <= bound, "{score} {exact} {bound}"),
                }
            }
            prop_assert!(row[tokens..].iter().all(|&cell| cell == 0));
        }
    }

    #[test]
    fn interactions_are_sums_of_maxima(
        k in 1usize..50, lengths in prop::collection::vec(0usize..30, 0..6), seed: u64,
    ) {
        let mut random = Random(seed);
        let rows = random.bytes(k * 32, Style::Random);
        let keep = [random.next()];
        let (mut codes, mut ends) = (Vec::new(), Vec::new());
        let (mut all, mut pruned) = (Vec::new(), Vec::new());
        for length in lengths {
            let (mut best, mut kept) = ([0u8; 32], [0u8; 32]);
            for _ in 0..length {
                let code = random.below(k);
                codes.push(code as u32);
                for lane in 0..32 {
                    let cell = rows[code * 32 + lane];
                    best[lane] = best[lane].max(cell);
                    if keep[0] & (1 << code) != 0 {
                        kept[lane] = kept[lane].max(cell);
                    }
                }
            }
            ends.push(codes.len() as u32);
            all.push(best.iter().map(|&cell| u32::from(cell)).sum::<u32>());
            pruned.push(kept.iter().map(|&cell| u32::from(cell)).sum::<u32>());
        }
        let mut scores = vec![0; ends.len()];
        interactions_at(Tier::Scalar, &rows, 32, &codes, &ends, &mut scores);
        prop_assert_eq!(&scores, &all);
        interactions_pruned_at(Tier::Scalar, &rows, 32, &codes, &ends, &keep, &mut scores);
        prop_assert_eq!(&scores, &pruned);
    }

    #[test]
    fn residual_maxsim_is_maxsim_of_the_decoded_document(
        eights in 1usize..=32, tokens in 1usize..40, n in 1usize..20,
        nbits in proptest::sample::select(vec![1u32, 2, 4, 8]), seed: u64,
    ) {
        let dim = eights * 8;
        let mut random = Random(seed);
        let values = random.floats(tokens * dim, Style::Random);
        let query = Query::new(&values, tokens, dim);
        let k = 5;
        let step = 0.01f32;
        let rows = random.bytes(k * query.lanes(), Style::Random);
        let doc = Compressed::new(&mut random, dim, nbits, n, k);
        let mut maxima = vec![0.0; query.lanes()];
        let score = residual_maxsim_at(
            Tier::Scalar, &query, &doc.table, &rows, step, &doc.codes, &doc.residuals,
            &doc.inv_norms, &mut maxima,
        );
        let mut sum = 0.0;
        for (s, token) in values.chunks_exact(dim).enumerate() {
            let (mut best, mut bound) = (f64::NEG_INFINITY, 0.0f64);
            for (t, buckets) in doc.buckets.chunks_exact(dim).enumerate() {
                let weights: Vec<f32> =
                    buckets.iter().map(|&b| doc.table.weights()[b as usize]).collect();
                let cell = rows[doc.codes[t] as usize * query.lanes() + s];
                let centroid = (f64::from(cell) - 128.0) * f64::from(step);
                let inv_norm = f64::from(doc.inv_norms[t]);
                best = best.max(inv_norm * (centroid + dot(token, &weights)));
                // The scale of a weight is the table's, not the row's.
                let table_bound = quantisation_bound(token, &weights)
                    .max(quantisation_bound_of_table(token, doc.table.weights()));
                bound = bound.max(inv_norm * table_bound + 1e-5);
            }
            prop_assert!((f64::from(maxima[s]) - best).abs() <= bound);
            sum += f64::from(maxima[s]);
        }
        prop_assert!((f64::from(score) - sum).abs() <= 1e-4);
    }

    #[test]
    fn decode_adds_and_scales(
        eights in 1usize..=32, n in 0usize..20,
        nbits in proptest::sample::select(vec![1u32, 2, 4, 8]), seed: u64,
    ) {
        let dim = eights * 8;
        let mut random = Random(seed);
        let centroids = random.floats(7 * dim, Style::Random);
        let doc = Compressed::new(&mut random, dim, nbits, n, 7);
        let mut out = vec![0.0; n * dim];
        decode_at(
            Tier::Scalar, &doc.table, dim, &centroids, &doc.codes, &doc.residuals,
            &doc.inv_norms, &mut out,
        );
        for (i, &value) in out.iter().enumerate() {
            let (t, d) = (i / dim, i % dim);
            let centroid = f64::from(centroids[doc.codes[t] as usize * dim + d]);
            let exact = (centroid + f64::from(doc.table.weights()[doc.buckets[i] as usize]))
                * f64::from(doc.inv_norms[t]);
            prop_assert!((f64::from(value) - exact).abs() <= 4e-7, "{value} {exact}");
        }
    }

    #[test]
    fn float_dots_are_close_and_nearest_takes_the_largest(
        eights in 1usize..=32, k in 1usize..40, n in 0usize..20, seed: u64,
    ) {
        let dim = eights * 8;
        let mut random = Random(seed);
        let centroids = random.floats(k * dim, Style::Random);
        let points = random.floats(n * dim, Style::Random);
        let panels = CentroidPanels::new(&centroids, dim);
        let mut products = vec![0.0; n * k];
        dots_at(Tier::Scalar, &points, &panels, &mut products);
        let (mut best, mut score) = (vec![0; n], vec![0.0; n]);
        nearest_at(Tier::Scalar, &points, &panels, &mut best, &mut score);
        for (p, point) in points.chunks_exact(dim).enumerate() {
            let row = &products[p * k..][..k];
            for (centroid, &product) in centroids.chunks_exact(dim).zip(row) {
                let bound = dim as f64 * f64::from(f32::EPSILON) * weight(point, centroid);
                prop_assert!((f64::from(product) - dot(point, centroid)).abs() <= bound);
            }
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let first = row.iter().position(|&product| product == top);
            prop_assert_eq!((Some(best[p] as usize), score[p]), (first, top));
        }
    }

    #[test]
    fn exact_maxsim_is_the_largest_dot(
        eights in 1usize..=32, tokens in 1usize..40, n in 1usize..20, seed: u64,
    ) {
        let dim = eights * 8;
        let mut random = Random(seed);
        let values = random.floats(tokens * dim, Style::Random);
        let document = random.floats(n * dim, Style::Random);
        let query = Query::new(&values, tokens, dim);
        let mut maxima = vec![f32::NEG_INFINITY; query.lanes()];
        maxsim_f32_at(Tier::Scalar, &query, &document, &mut maxima);
        for (token, &max) in values.chunks_exact(dim).zip(&maxima) {
            let products = document.chunks_exact(dim).map(|row| dot(token, row));
            let best = products.fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((f64::from(max) - best).abs() <= dim as f64 * 1e-6);
        }
    }

    #[test]
    fn narrowing_takes_the_nearest_half(bits in 0u32..0x7f80_0000, negative: bool) {
        let value = f32::from_bits(bits) * if negative { -1.0 } else { 1.0 };
        let mut half = [0u16];
        f32_to_f16_at(Tier::Scalar, &[value], &mut half);
        let found = half_value(half[0] & 0x7fff);
        let target = f64::from(value.abs());
        prop_assert_eq!(half[0] >> 15 == 1, value.is_sign_negative());
        // Neighbours are no closer, and on a tie the even one was taken. The neighbour above the
        // largest half stands for infinity.
        for neighbour in [half[0] & 0x7fff, (half[0] & 0x7fff) + 1, (half[0] & 0x7fff).wrapping_sub(1)] {
            if neighbour > 0x7c00 {
                continue;
            }
            let other = (half_value(neighbour) - target).abs();
            let own = (found - target).abs();
            let tie_to_odd = other == own && neighbour != half[0] & 0x7fff && half[0] & 1 == 1;
            prop_assert!(other >= own && !tie_to_odd, "{value} became {found}");
        }
    }
}

/// [`quantisation_bound`] when the other side's scale comes from a table.
fn quantisation_bound_of_table(query: &[f32], table: &[f32]) -> f64 {
    let (q, o) = (largest(query), largest(table));
    let (q_half, o_half) = (q / 63.0 / 2.0, o / 127.0 / 2.0);
    query.len() as f64 * (q * o_half + o * q_half + q_half * o_half) * 1.0001 + 1e-6
}

/// A half by definition, infinity as the power of two that follows the largest half.
fn half_value(half: u16) -> f64 {
    let (exponent, fraction) = (i32::from(half >> 10), f64::from(half & 0x3ff));
    if exponent == 0 {
        fraction * 2f64.powi(-24)
    } else {
        (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15)
    }
}

#[test]
fn every_half_widens_to_its_value() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    let mut wide = vec![0.0; halves.len()];
    f16_to_f32_at(Tier::Scalar, &halves, &mut wide);
    for (&half, &value) in halves.iter().zip(&wide) {
        let magnitude = half & 0x7fff;
        assert_eq!(value.is_sign_negative(), half >= 0x8000);
        match magnitude {
            0..0x7c00 => assert_eq!(f64::from(value.abs()), half_value(magnitude)),
            0x7c00 => assert!(value.is_infinite()),
            _ => assert!(value.is_nan()),
        }
    }
    let mut back = vec![0; wide.len()];
    f32_to_f16_at(Tier::Scalar, &wide, &mut back);
    for (&half, &back) in halves.iter().zip(&back) {
        let quiet = if half & 0x7fff > 0x7c00 {
            half | 0x0200
        } else {
            half
        };
        assert_eq!(back, quiet);
    }
}

#[test]
fn an_empty_document_scores_nothing() {
    let query = Query::new(&[1.0; 8], 1, 8);
    let table = ResidualTable::new(1, &[-0.5, 0.5]);
    let mut maxima = vec![0.0; 16];
    let score = residual_maxsim(&query, &table, &[], 0.1, &[], &[], &[], &mut maxima);
    assert_eq!(score, 0.0);
    assert!(maxima.iter().all(|&max| max == f32::NEG_INFINITY));
}

#[test]
#[should_panic(expected = "code 3 of 3 centroids")]
fn a_code_without_a_row_is_refused() {
    interactions(&[0; 48], 16, &[0, 3], &[2], &mut [0]);
}
