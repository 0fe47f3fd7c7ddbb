//! Centroid interaction.

/// Contract: `crate::interactions`.
pub(crate) fn interactions(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    out: &mut [u32],
) {
    for_each_document(codes, ends, out, |codes| {
        score(rows, lanes, codes.iter().copied())
    });
}

/// Contract: `crate::interactions_pruned`.
pub(crate) fn interactions_pruned(
    rows: &[u8],
    lanes: usize,
    codes: &[u32],
    ends: &[u32],
    keep: &[u64],
    out: &mut [u32],
) {
    let kept = |code: &u32| keep[*code as usize / 64] >> (code % 64) & 1 == 1;
    for_each_document(codes, ends, out, |codes| {
        score(rows, lanes, codes.iter().copied().filter(kept))
    });
}

fn for_each_document(codes: &[u32], ends: &[u32], out: &mut [u32], score: impl Fn(&[u32]) -> u32) {
    let mut start = 0;
    for (&end, out) in ends.iter().zip(out) {
        let end = end as usize;
        *out = score(&codes[start..end]);
        start = end;
    }
}

fn score(rows: &[u8], lanes: usize, codes: impl Iterator<Item = u32> + Clone) -> u32 {
    (0..lanes)
        .map(|lane| {
            let cells = codes.clone().map(|code| rows[code as usize * lanes + lane]);
            u32::from(cells.max().unwrap_or(0))
        })
        .sum()
}
