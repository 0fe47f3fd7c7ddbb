//! The module `weft._core`: conversions between Python and the engine, and nothing else.

mod buffer;
mod engine;
mod errors;
mod held;
mod importer;
mod index;
mod progress;
mod repair;
mod writer;

/// The engine of Weft. Its names are those of `weft/_core.pyi`, where they are documented.
#[pyo3::pymodule]
mod _core {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::engine::{cpu_tier, cpu_tiers, defaults, maxsim, maxsim_matrix, parse_filter};
    #[pymodule_export]
    use crate::importer::Importer;
    #[pymodule_export]
    use crate::index::Index;
    #[pymodule_export]
    use crate::repair::repair;
    #[pymodule_export]
    use crate::writer::Writer;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        // A mistyped tier must not be ignored: the user thinks it is in force.
        weft_kernels::detect().map_err(crate::errors::invalid)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("FORMAT_VERSION", weft_core::FORMAT_VERSION)
    }
}
