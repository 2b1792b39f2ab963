//! Event rates: spectra × cross-sections, over time.
