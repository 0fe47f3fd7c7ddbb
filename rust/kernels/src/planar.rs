//! The planar layout of residual codes: one byte shuffle decodes a run of dimensions.
//!
//! A row of `dim` fields of `nbits` takes `B = dim * nbits / 8` bytes. Dimension `d = j * B + i` is
//! field `j` of byte `i`, field 0 in the lowest bits. The fields `j` of all bytes are thus `B`
//! consecutive dimensions, got by one shift, one mask and one table look-up a register.

/// Bytes of one residual row.
///
/// # Panics
///
/// When `nbits` is not 1, 2, 4 or 8, or `dim` is not a multiple of 8.
pub fn row_bytes(dim: usize, nbits: u32) -> usize {
    assert!(
        matches!(nbits, 1 | 2 | 4 | 8),
        "residuals have {nbits} bits, not 1, 2, 4 or 8"
    );
    assert!(
        dim.is_multiple_of(8),
        "dimension is {dim}, not a multiple of 8"
    );
    dim * nbits as usize / 8
}

/// Packs rows of `dim` bucket numbers into the planar layout.
///
/// `buckets` is `[n][dim]`, each below `2^nbits` (higher bits are dropped); `out` is
/// `[n][dim * nbits / 8]` and is overwritten.
///
/// # Panics
///
/// When `nbits` or `dim` is not allowed ([`row_bytes`]) or a length does not fit.
pub fn pack_planar(nbits: u32, dim: usize, buckets: &[u8], out: &mut [u8]) {
    let bytes = check(nbits, dim, buckets.len(), out.len());
    let mask = (u16::MAX >> (16 - nbits)) as u8;
    for (row, packed) in buckets.chunks_exact(dim).zip(out.chunks_exact_mut(bytes)) {
        packed.fill(0);
        for (field, plane) in row.chunks_exact(bytes).enumerate() {
            for (byte, &bucket) in packed.iter_mut().zip(plane) {
                *byte |= (bucket & mask) << (field as u32 * nbits);
            }
        }
    }
}

/// Unpacks planar rows into bucket numbers: the inverse of [`pack_planar`].
///
/// # Panics
///
/// As [`pack_planar`].
pub fn unpack_planar(nbits: u32, dim: usize, packed: &[u8], out: &mut [u8]) {
    let bytes = check(nbits, dim, out.len(), packed.len());
    let mask = (u16::MAX >> (16 - nbits)) as u8;
    for (packed, row) in packed.chunks_exact(bytes).zip(out.chunks_exact_mut(dim)) {
        for (field, plane) in row.chunks_exact_mut(bytes).enumerate() {
            for (bucket, &byte) in plane.iter_mut().zip(packed) {
                *bucket = (byte >> (field as u32 * nbits)) & mask;
            }
        }
    }
}

fn check(nbits: u32, dim: usize, buckets: usize, packed: usize) -> usize {
    let bytes = row_bytes(dim, nbits);
    assert!(
        buckets.is_multiple_of(dim.max(1)) && buckets / dim.max(1) * bytes == packed,
        "{buckets} buckets of {dim} dimensions do not fill {packed} bytes at {nbits} bits"
    );
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimension_j_times_b_plus_i_is_field_j_of_byte_i() {
        // dim 8 at 2 bits: two bytes; byte 0 holds dimensions 0, 2, 4, 6, lowest bits first.
        let buckets = [1, 0, 2, 0, 3, 0, 0, 3];
        let mut packed = [0; 2];
        pack_planar(2, 8, &buckets, &mut packed);
        assert_eq!(packed, [0b00_11_10_01, 0b11_00_00_00]);
        let mut back = [0; 8];
        unpack_planar(2, 8, &packed, &mut back);
        assert_eq!(back, buckets);
    }

    #[test]
    fn every_width_round_trips() {
        for nbits in [1, 2, 4, 8] {
            let dim = 24;
            let buckets: Vec<u8> = (0..5 * dim)
                .map(|i| ((i * 37 + 11) % (1 << nbits)) as u8)
                .collect();
            let mut packed = vec![0; 5 * row_bytes(dim, nbits)];
            pack_planar(nbits, dim, &buckets, &mut packed);
            let mut back = vec![0; buckets.len()];
            unpack_planar(nbits, dim, &packed, &mut back);
            assert_eq!(back, buckets);
        }
    }
}
