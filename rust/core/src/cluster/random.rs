//! A small seeded generator, so that a build depends on the seed and on nothing else.

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`. The bias of the multiplication is below 2^-32 for the bounds in use.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// `count` different numbers below `bound`, ascending (selection sampling, Knuth 3.4.2 S: one pass, exact).
    pub(crate) fn choose(&mut self, bound: u64, count: u64) -> Vec<u64> {
        let mut out = Vec::with_capacity(count.min(bound) as usize);
        let mut wanted = count.min(bound);
        let mut left = bound;
        let mut at = 0;
        while wanted > 0 {
            if self.below(left) < wanted {
                out.push(at);
                wanted -= 1;
            }
            at += 1;
            left -= 1;
        }
        out
    }

    /// Fisher-Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
