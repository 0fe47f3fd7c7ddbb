//! Centroid interaction: one load and one `vpmaxub` a document token and 32 query tokens.

use std::arch::x86_64::*;

use super::prefetch_line;

/// How many codes ahead a row is asked for. Rows of a large table come from memory in about 100 ns,
/// the work on one takes less than 1.
const AHEAD: usize = 24;

/// Codes of one document that are compacted before they are scored; more take another round.
const COMPACTED: usize = 256;

/// Contract: `crate::interactions`; every code is a row.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn interactions(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    out: &mut [u32],
) {
    let mut start = 0;
    for (&end, out) in ends.iter().zip(out) {
        let end = end as usize;
        // The rows asked for may belong to the next documents: codes are contiguous.
        let wanted = &codes[start..codes.len().min(end + AHEAD)];
        let mut sum = 0;
        let mut lane = 0;
        while lane < lanes {
            // SAFETY: every code is a row, and `lane` stays within it.
            let (best, width) = unsafe { best(rows, lanes, lane, wanted, end - start) };
            sum += byte_sum(best);
            lane += width;
        }
        *out = sum;
        start = end;
    }
}

/// Contract: `crate::interactions_pruned`; every code is a row and has a bit.
///
/// Kept codes are compacted without a branch, since whether one is kept cannot be predicted, and
/// their rows are asked for while the rest of the document is sifted.
#[target_feature(enable = "avx2,fma,f16c")]
pub(crate) fn interactions_pruned(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    keep: &[u64],
    out: &mut [u32],
) {
    let mut kept = [0u32; COMPACTED];
    let mut start = 0;
    for (&end, out) in ends.iter().zip(out) {
        let document = &codes[start..end as usize];
        start = end as usize;
        *out = if document.len() <= COMPACTED {
            let count = compact(rows, lanes, document, keep, &mut kept);
            let mut sum = 0;
            let mut lane = 0;
            while lane < lanes {
                // SAFETY: every code is a row, and `lane` stays within it.
                let (best, width) = unsafe { best(rows, lanes, lane, &kept[..count], count) };
                sum += byte_sum(best);
                lane += width;
            }
            sum
        } else {
            long_document(rows, lanes, document, keep, &mut kept)
        };
    }
}

/// A document of more codes than are compacted at once: the maxima are carried over the rounds.
/// Rare, so it allocates.
#[target_feature(enable = "avx2")]
fn long_document(
    rows: &[u8],
    lanes: usize,
    document: &[u32],
    keep: &[u64],
    kept: &mut [u32; COMPACTED],
) -> u32 {
    let mut maxima = vec![0u8; lanes];
    for codes in document.chunks(COMPACTED) {
        let count = compact(rows, lanes, codes, keep, kept);
        for &code in &kept[..count] {
            let row = &rows[code as usize * lanes..][..lanes];
            for (max, &cell) in maxima.iter_mut().zip(row) {
                *max = (*max).max(cell);
            }
        }
    }
    maxima.iter().map(|&max| u32::from(max)).sum()
}

/// Writes the kept ones of `codes` to `kept` and returns their number.
#[inline]
#[target_feature(enable = "avx2")]
fn compact(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    keep: &[u64],
    kept: &mut [u32; COMPACTED],
) -> usize {
    let mut count = 0;
    for &code in &codes[..codes.len().min(COMPACTED)] {
        kept[count] = code;
        let bit = keep[code as usize / 64] >> (code % 64) & 1;
        // A pruned code asks again for the row of the last kept one, which costs next to nothing.
        let last = kept[(count + bit as usize).saturating_sub(1)];
        prefetch_line(rows.as_ptr().wrapping_add(last as usize * lanes));
        count += bit as usize;
    }
    count
}

/// The largest cells of lanes `lane ..` among the first `count` of `codes`; the rest of `codes` is
/// only asked for. Returns the maxima, unused bytes zero, and how many lanes they are: 32 or 16.
///
/// # Safety
///
/// Every code is a row of `rows`, `lane` is a multiple of 16 below `lanes`, `count` is at most
/// `codes.len()`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn best(
    rows: &[u8],
    lanes: usize,
    lane: usize,
    codes: &[u32],
    count: usize,
) -> (__m256i, usize) {
    let base = rows.as_ptr().wrapping_add(lane);
    let ahead = |i: usize| {
        if let Some(&code) = codes.get(i + AHEAD) {
            prefetch_line(base.wrapping_add(code as usize * lanes));
        }
    };
    if lanes - lane >= 32 {
        let mut best = _mm256_setzero_si256();
        for (i, &code) in codes[..count].iter().enumerate() {
            ahead(i);
            // SAFETY: the row has at least 32 cells from `lane` on.
            let cells = unsafe { _mm256_loadu_si256(base.add(code as usize * lanes).cast()) };
            best = _mm256_max_epu8(best, cells);
        }
        (best, 32)
    } else {
        let mut best = _mm_setzero_si128();
        for (i, &code) in codes[..count].iter().enumerate() {
            ahead(i);
            // SAFETY: the row has 16 cells from `lane` on.
            let cells = unsafe { _mm_loadu_si128(base.add(code as usize * lanes).cast()) };
            best = _mm_max_epu8(best, cells);
        }
        (_mm256_zextsi128_si256(best), 16)
    }
}

/// The sum of 32 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn byte_sum(bytes: __m256i) -> u32 {
    let sums = _mm256_sad_epu8(bytes, _mm256_setzero_si256());
    let sums = _mm_add_epi64(
        _mm256_castsi256_si128(sums),
        _mm256_extracti128_si256::<1>(sums),
    );
    (_mm_cvtsi128_si64(sums) + _mm_extract_epi64::<1>(sums)) as u32
}
