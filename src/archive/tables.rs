//! The tables of rows in a file, declared once: their names, their rows, and what they hold.

use super::Error;
use super::columns::{describe, unit};
use super::file::set_names;
use hdf5::types::TypeDescriptor;
use hdf5::{File, H5Type, Location};
use schemars::JsonSchema;
use std::path::Path;

/// Rows of all tables of a file, in memory.
pub trait Tables: Sized {
    /// The tables, open for writing.
    type Open;

    /// The rows of all, one after the other.
    fn joined(all: impl Iterator<Item = Self>) -> Self;

    /// Rows of each table.
    fn sizes(&self) -> Vec<usize>;

    /// Creates the tables for exactly so many rows.
    fn create(to: &File, sizes: &[usize]) -> hdf5::Result<Self::Open>;

    /// Says of each column its unit and what it means.
    fn describe(open: &Self::Open) -> hdf5::Result<()>;

    /// Writes rows.
    fn push(&self, open: &mut Self::Open) -> hdf5::Result<()>;

    /// Writes what is left, and the digests.
    fn finish(open: Self::Open) -> hdf5::Result<()>;

    /// Reads the rows, which must be as their digests say.
    fn read(file: &File, path: &Path) -> Result<Self, Error>;
}

/// Says of each column of a table its unit and what it means, in the order of the columns.
pub(super) fn describe_columns<T: H5Type + JsonSchema>(table: &Location) -> hdf5::Result<()> {
    let TypeDescriptor::Compound(of) = T::type_descriptor() else { return Ok(()) };
    let columns: Vec<String> = of.fields.into_iter().map(|field| field.name).collect();
    let known = describe::<T>();
    let about = |column: &String| {
        let found = known.iter().find(|known| known.name == *column);
        found.map_or("", |known| known.about.as_str())
    };
    let units: Vec<&str> = columns.iter().map(|column| unit(column)).collect();
    set_names(table, "units", &units)?;
    set_names(table, "descriptions", &columns.iter().map(about).collect::<Vec<_>>())
}

/// Declares the rows of a file, and the same tables open for writing.
macro_rules! tables {
    (
        $(#[$meta:meta])*
        $vis:vis struct $Rows:ident / $Open:ident {
            $($field:ident: $Row:ty = $name:literal, $about:literal;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $Rows {
            $($vis $field: Vec<$Row>,)+
        }

        /// The same tables, open for writing.
        $vis struct $Open {
            $(pub(in $crate::archive) $field: $crate::archive::file::LongTable<$Row>,)+
        }

        impl $crate::archive::tables::Tables for $Rows {
            type Open = $Open;

            fn joined(all: impl Iterator<Item = Self>) -> Self {
                let mut joined = Self::default();
                for mut more in all {
                    $(joined.$field.append(&mut more.$field);)+
                }
                joined
            }

            fn sizes(&self) -> Vec<usize> {
                vec![$(self.$field.len()),+]
            }

            fn create(to: &hdf5::File, sizes: &[usize]) -> hdf5::Result<Self::Open> {
                let mut sizes = sizes.iter().copied();
                Ok($Open {
                    $($field: $crate::archive::file::LongTable::create(
                        to,
                        $name,
                        sizes.next().unwrap_or(0),
                        $about,
                    )?,)+
                })
            }

            fn describe(open: &Self::Open) -> hdf5::Result<()> {
                $($crate::archive::tables::describe_columns::<$Row>(open.$field.location())?;)+
                Ok(())
            }

            fn push(&self, open: &mut Self::Open) -> hdf5::Result<()> {
                $(open.$field.push(&self.$field)?;)+
                Ok(())
            }

            fn finish(open: Self::Open) -> hdf5::Result<()> {
                $(open.$field.finish()?;)+
                Ok(())
            }

            fn read(
                file: &hdf5::File,
                path: &std::path::Path,
            ) -> Result<Self, $crate::archive::Error> {
                let fail = |error| $crate::archive::Error::hdf5(path, "read")(error);
                Ok(Self {
                    $($field: $crate::archive::file::take_series(file, $name).map_err(fail)?,)+
                })
            }
        }
    };
}
pub(super) use tables;
