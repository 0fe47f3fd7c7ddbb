//! Finding the centroids: sampling, k-means in two levels, and the assignment of tokens to centroids.

pub(crate) mod assign;
pub(crate) mod kmeans;
pub(crate) mod random;

/// PLAID's rule before it is rounded (2205.09707, section 4.5).
pub(crate) fn plaid_rule(tokens: u64) -> f64 {
    16.0 * (tokens as f64).sqrt()
}

/// Number of centroids for a collection of this many tokens.
///
/// PLAID's rule, `2^floor(log2(16 * sqrt(tokens)))` (2205.09707, section 4.5), but never more than a
/// centroid for every four tokens: PLAID's own code fails on collections smaller than its rule.
pub fn centroid_count(tokens: u64) -> usize {
    let wanted = plaid_rule(tokens);
    let most = (tokens / 4).max(1);
    let bound = wanted.min(most as f64).max(1.0);
    1 << (bound.log2().floor() as u32)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rule_gives_the_published_numbers() {
        // colbert-plaid.md section 3.1: passages times mean length, and K.
        let table = [
            (1_000 * 120, 4_096),
            (10_000 * 120, 16_384),
            (100_000 * 120, 32_768),
            (1_000_000 * 70, 131_072),
            (8_841_823 * 68, 262_144),
        ];
        for (tokens, k) in table {
            assert_eq!(super::centroid_count(tokens), k, "{tokens} tokens");
        }
        assert_eq!(super::centroid_count(0), 1);
        assert_eq!(super::centroid_count(7), 1);
        assert_eq!(super::centroid_count(100), 16);
    }
}
