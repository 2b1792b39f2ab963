//! The archive: HDF5 files that h5py reads without help from this project.

pub mod rows;
