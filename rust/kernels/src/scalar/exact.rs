//! MaxSim over uncompressed documents.

use super::{float_dots, half::widen};
use crate::query::{LANES, Query};

/// Contract: `crate::maxsim_f32`.
pub(crate) fn maxsim_f32(query: &Query, document: &[f32], maxima: &mut [f32]) {
    for token in document.chunks_exact(query.dim()) {
        raise(query, token, maxima);
    }
}

/// Contract: `crate::maxsim_f16`.
pub(crate) fn maxsim_f16(query: &Query, document: &[u16], maxima: &mut [f32]) {
    let mut wide = vec![0.0; query.dim()];
    for token in document.chunks_exact(query.dim()) {
        for (wide, &half) in wide.iter_mut().zip(token) {
            *wide = widen(half);
        }
        raise(query, &wide, maxima);
    }
}

fn raise(query: &Query, token: &[f32], maxima: &mut [f32]) {
    for (panel, maxima) in maxima.chunks_exact_mut(LANES).enumerate() {
        for (max, dot) in maxima
            .iter_mut()
            .zip(float_dots(token, query.float_panel(panel)))
        {
            if dot > *max {
                *max = dot;
            }
        }
    }
}
