//! Bits of residuals in ColBERT's order, for import and export. Our own order, in planes, is the kernels'
//! ([`weft_kernels::pack_planar`]); going from one to the other moves bits and changes none.

use weft_kernels::{pack_planar, row_bytes, unpack_planar};

/// Packs the buckets of one vector as ColBERT does: bit `j` of dimension `d` (`j = 0` the least significant) is bit
/// `d * nbits + j` of a string whose bytes are filled from their most significant bit (reference of colbert-ai 0.2.22).
///
/// # Examples
/// ```
/// use weft_core::codec::pack::pack_plaid;
/// let mut byte = [0];
/// pack_plaid(&[0, 1, 2, 3], 2, &mut byte);
/// assert_eq!(byte, [0x27]);
/// ```
///
/// # Panics
/// When the lengths do not fit.
pub fn pack_plaid(buckets: &[u8], nbits: u32, out: &mut [u8]) {
    let bits = nbits as usize;
    assert_eq!(
        buckets.len() * bits,
        out.len() * 8,
        "{} buckets of {nbits} bits for {} bytes",
        buckets.len(),
        out.len()
    );
    // Of each field the first bit is the least significant one of its bucket and the most significant one in the byte.
    let mask = (u16::MAX >> (16 - nbits)) as u8;
    for (byte, fields) in out.iter_mut().zip(buckets.chunks_exact(8 / bits)) {
        *byte = 0;
        for (i, bucket) in fields.iter().enumerate() {
            *byte |= (bucket & mask).reverse_bits() >> (i * bits);
        }
    }
}

/// The inverse of [`pack_plaid`].
///
/// # Panics
/// When the lengths do not fit.
pub fn unpack_plaid(bytes: &[u8], nbits: u32, out: &mut [u8]) {
    let bits = nbits as usize;
    assert_eq!(
        out.len() * bits,
        bytes.len() * 8,
        "{} buckets of {nbits} bits from {} bytes",
        out.len(),
        bytes.len()
    );
    let mask = (u16::MAX >> (16 - nbits)) as u8;
    for (byte, fields) in bytes.iter().zip(out.chunks_exact_mut(8 / bits)) {
        for (i, bucket) in fields.iter_mut().enumerate() {
            *bucket = (byte << (i * bits)).reverse_bits() & mask;
        }
    }
}

/// Rows of `dim` buckets from ColBERT's order to our planes.
pub(crate) fn plaid_to_planes(bytes: &[u8], nbits: u32, dim: usize, out: &mut [u8]) {
    let (row, mut buckets) = (row_bytes(dim, nbits), vec![0; dim]);
    for (bytes, out) in bytes.chunks_exact(row).zip(out.chunks_exact_mut(row)) {
        unpack_plaid(bytes, nbits, &mut buckets);
        pack_planar(nbits, dim, &buckets, out);
    }
}

/// The inverse of [`plaid_to_planes`].
pub(crate) fn planes_to_plaid(bytes: &[u8], nbits: u32, dim: usize, out: &mut [u8]) {
    let (row, mut buckets) = (row_bytes(dim, nbits), vec![0; dim]);
    for (bytes, out) in bytes.chunks_exact(row).zip(out.chunks_exact_mut(row)) {
        unpack_planar(nbits, dim, bytes, &mut buckets);
        pack_plaid(&buckets, nbits, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plaid_packing_gives_the_reference_bytes() {
        // colbert-plaid.md section 3.6.
        let table: [(u32, &[u8], u8); 7] = [
            (1, &[1, 0, 0, 1, 1, 0, 1, 0], 0x9A),
            (2, &[0, 1, 2, 3], 0x27),
            (2, &[3, 2, 1, 0], 0xD8),
            (4, &[1, 2], 0x84),
            (4, &[10, 7], 0x5E),
            (8, &[5], 0xA0),
            (8, &[1], 0x80),
        ];
        for (nbits, buckets, byte) in table {
            let mut out = [0];
            pack_plaid(buckets, nbits, &mut out);
            assert_eq!(out, [byte], "{buckets:?}");
        }
    }

    proptest! {
        #[test]
        fn buckets_come_back(
            nbits in prop::sample::select(vec![1_u32, 2, 4, 8]),
            eighths in 1_usize..33,
            seed in any::<u64>(),
        ) {
            let mut random = crate::cluster::random::Random::new(seed);
            let buckets: Vec<u8> = (0..eighths * 8).map(|_| random.below(1 << nbits) as u8).collect();
            let mut bytes = vec![0; eighths * nbits as usize];
            let mut back = vec![0; buckets.len()];
            pack_plaid(&buckets, nbits, &mut bytes);
            unpack_plaid(&bytes, nbits, &mut back);
            prop_assert_eq!(&back, &buckets);
            let (mut planes, mut again) = (vec![0; bytes.len()], vec![0; bytes.len()]);
            plaid_to_planes(&bytes, nbits, buckets.len(), &mut planes);
            planes_to_plaid(&planes, nbits, buckets.len(), &mut again);
            prop_assert_eq!(again, bytes);
            unpack_planar(nbits, buckets.len(), &planes, &mut back);
            prop_assert_eq!(back, buckets);
        }
    }
}
