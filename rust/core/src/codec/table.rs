//! Residual tables: where a component is cut into buckets and which value stands for a bucket.

/// Cut-offs (`2^nbits - 1`, ascending) and weights (`2^nbits`).
#[derive(Debug, Clone, PartialEq)]
pub struct ResidualTables {
    /// A component belongs to the bucket numbered by the cut-offs strictly below it.
    pub cutoffs: Vec<f32>,
    /// The value that stands for each bucket.
    pub weights: Vec<f32>,
}

impl ResidualTables {
    /// ColBERTv2's tables: cut-offs at the quantiles `i / B`, weights at `(i + 0.5) / B`, linearly interpolated
    /// at position `q * (n - 1)` of the sorted components (colbert-ai 0.2.22, residual codec).
    ///
    /// # Examples
    /// ```
    /// use weft_core::codec::table::ResidualTables;
    /// let components: Vec<f32> = (0..=10).map(|i| i as f32).collect();
    /// let tables = ResidualTables::quantiles(components, 2);
    /// assert_eq!(tables.cutoffs, [2.5, 5.0, 7.5]);
    /// assert_eq!(tables.weights, [1.25, 3.75, 6.25, 8.75]);
    /// ```
    ///
    /// # Panics
    /// When there are no components.
    pub fn quantiles(mut components: Vec<f32>, nbits: u32) -> Self {
        assert!(
            !components.is_empty(),
            "residual tables need at least one component"
        );
        components.sort_unstable_by(f32::total_cmp);
        let buckets = 1_usize << nbits;
        let quantile = |q: f64| {
            let position = q * (components.len() - 1) as f64;
            let low = position.floor() as usize;
            let high = (low + 1).min(components.len() - 1);
            let fraction = (position - low as f64) as f32;
            components[low] + (components[high] - components[low]) * fraction
        };
        Self {
            cutoffs: (1..buckets)
                .map(|i| quantile(i as f64 / buckets as f64))
                .collect(),
            weights: (0..buckets)
                .map(|i| quantile((i as f64 + 0.5) / buckets as f64))
                .collect(),
        }
    }

    /// The tables of least squared error: each weight is the mean of its bucket, each cut-off lies half-way between two
    /// weights (Lloyd 1957, Max 1960). Started from the quantiles and iterated on a histogram, so that its cost does not
    /// depend on the number of components.
    ///
    /// # Panics
    /// When there are no components.
    pub fn lloyd_max(components: &[f32], nbits: u32) -> Self {
        const BINS: usize = 1 << 16;
        const ROUNDS: usize = 200;
        assert!(
            !components.is_empty(),
            "residual tables need at least one component"
        );
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for &c in components {
            low = low.min(c);
            high = high.max(c);
        }
        let width = f64::from(high - low) / BINS as f64;
        if width <= 0.0 {
            return Self::quantiles(components.to_vec(), nbits);
        }
        let mut count = vec![0_u64; BINS + 1];
        let mut sum = vec![0.0_f64; BINS + 1];
        for &c in components {
            let bin = ((f64::from(c - low) / width) as usize).min(BINS - 1);
            count[bin + 1] += 1;
            sum[bin + 1] += f64::from(c);
        }
        for i in 0..BINS {
            count[i + 1] += count[i];
            sum[i + 1] += sum[i];
        }
        let buckets = 1_usize << nbits;
        // Quantiles of the histogram, as a start.
        let mut cuts: Vec<usize> = (1..buckets)
            .map(|i| {
                count
                    .partition_point(|&n| n * (buckets as u64) < count[BINS] * i as u64)
                    .min(BINS)
            })
            .collect();
        let mut weights = vec![0.0_f64; buckets];
        for _ in 0..ROUNDS {
            let edges = |i: usize| {
                (
                    if i == 0 { 0 } else { cuts[i - 1] },
                    if i == buckets - 1 { BINS } else { cuts[i] },
                )
            };
            for (i, weight) in weights.iter_mut().enumerate() {
                let (a, b) = edges(i);
                let (a, b) = (a.min(b), b);
                *weight = match count[b] - count[a] {
                    // An empty bucket stands at its middle until it gets components.
                    0 => f64::from(low) + width * (a + b) as f64 / 2.0,
                    n => (sum[b] - sum[a]) / n as f64,
                };
            }
            let mut moved = false;
            for i in 0..buckets - 1 {
                let middle = (weights[i] + weights[i + 1]) / 2.0;
                let bin = (((middle - f64::from(low)) / width).round().max(0.0) as usize).min(BINS);
                moved |= bin != cuts[i];
                cuts[i] = bin;
            }
            if !moved {
                break;
            }
        }
        let mut weights: Vec<f32> = weights.iter().map(|&w| w as f32).collect();
        // Empty buckets share a place with their neighbours up to rounding; the order must be exact.
        weights.sort_unstable_by(f32::total_cmp);
        let cutoffs = weights.windows(2).map(|w| (w[0] + w[1]) / 2.0).collect();
        Self { cutoffs, weights }
    }

    /// The bucket of a component: the number of cut-offs strictly less than it.
    #[inline]
    pub fn bucket(&self, component: f32) -> u8 {
        // Branch-free, so that the compiler vectorises it for the 1, 3 and 15 cut-offs that are common.
        if self.cutoffs.len() <= 15 {
            return self.cutoffs.iter().map(|&c| u8::from(c < component)).sum();
        }
        self.cutoffs.partition_point(|&c| c < component) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(tables: &ResidualTables, components: &[f32]) -> f64 {
        components
            .iter()
            .map(|&c| f64::from(c - tables.weights[tables.bucket(c) as usize]).powi(2))
            .sum()
    }

    #[test]
    fn a_value_on_a_cutoff_goes_to_the_lower_bucket() {
        let tables = ResidualTables {
            cutoffs: vec![0.0],
            weights: vec![-1.0, 1.0],
        };
        assert_eq!(tables.bucket(0.0), 0);
        assert_eq!(tables.bucket(f32::MIN_POSITIVE), 1);
    }

    #[test]
    fn lloyd_max_of_a_normal_distribution_is_the_published_one() {
        // Sums of twelve uniform numbers; Max (1960), table I: for 4 levels 0.4528 and 1.510, cut at 0 and 0.9816.
        let mut random = crate::cluster::random::Random::new(3);
        let normal: Vec<f32> = (0..400_000)
            .map(|_| {
                (0..12)
                    .map(|_| random.below(1 << 24) as f64 / f64::from(1 << 24))
                    .sum::<f64>() as f32
                    - 6.0
            })
            .collect();
        let tables = ResidualTables::lloyd_max(&normal, 2);
        for (found, wanted) in tables.weights.iter().zip([-1.510, -0.4528, 0.4528, 1.510]) {
            assert!((found - wanted).abs() < 0.02, "{tables:?}");
        }
        assert!((tables.cutoffs[2] - 0.9816).abs() < 0.02, "{tables:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        // From the quantiles every round lowers the error, so that it can only end below them. With a handful of components
        // interpolated quantiles may hit them by luck; a codebook has tens of thousands.
        #[test]
        fn lloyd_max_is_never_worse_than_quantiles(
            components in prop::collection::vec((-1.0_f32..1.0).prop_map(|x| x * x * x), 4000..6000),
            nbits in prop::sample::select(vec![1_u32, 2, 4, 8]),
        ) {
            let best = ResidualTables::lloyd_max(&components, nbits);
            let plain = ResidualTables::quantiles(components.clone(), nbits);
            prop_assert!(best.cutoffs.windows(2).all(|w| w[0] <= w[1]), "{best:?}");
            prop_assert_eq!(best.weights.len(), 1 << nbits);
            // The histogram rounds a cut by a bin: 2 / 65536 of the range.
            let slack = components.len() as f64 * 1e-8;
            prop_assert!(error(&best, &components) <= error(&plain, &components) + slack);
        }
    }
}
