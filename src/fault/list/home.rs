//! What a row of a fault list strikes: a stored tensor, an op's output or the input, and which element of it.

use super::{Error, Row, whole};
use crate::fault::{Region, Sites};
use crate::op::Dtype;
use crate::workload::{Role, Value, Workload};

/// What a row strikes: a stored tensor, an op's output or the input.
pub(super) struct Home {
    pub(super) region: Region,
    pub(super) tensor: u32,
    pub(super) name: String,
    /// The type of its elements, and how they lie in words.
    pub(super) dtype: Dtype,
    pub(super) lies: Dtype,
    elements: u32,
}

/// Columns that name what is struck: tensors are weights, layers are op outputs.
pub(super) const HOMES: [&str; 2] = ["tensor", "layer"];
/// Columns with the element within it.
pub(super) const INDICES: [&str; 3] = ["flat_index", "neuron_flat", "index"];
/// Words for the places of an axis.
const PARTS: [&str; 2] = ["key", "value"];

/// The column of an axis: `input` is that of the inference.
fn column(axis: &'static str) -> &'static str {
    if axis == "input" { "input_unit" } else { axis }
}

/// The columns that axes of the workload's values may have; `index` stands for an axis without a name.
pub(super) fn axes(workload: &Workload) -> Vec<&'static str> {
    let all = workload.values.iter().flat_map(|value| value.axes.clone());
    let mut axes: Vec<&str> = all.filter(|axis| *axis != "index").map(column).collect();
    axes.sort_unstable();
    axes.dedup();
    axes
}

impl Row<'_> {
    /// What the row strikes.
    pub(super) fn home(&self) -> Result<Home, Error> {
        let (column, name) = self.one_of(&HOMES)?;
        let regions: &[Region] = match column {
            "tensor" => &[Region::Weights],
            _ => &[Region::Activations, Region::Input],
        };
        // The number of a layer is its cache where axes say which element of it.
        let cache = whole(name).filter(|_| column == "layer" && self.cell("position").is_some());
        let names =
            [cache.map_or_else(|| name.to_owned(), |layer| format!("layers.{layer}.cache"))];
        for region in regions {
            if let Ok(sites) = Sites::new(self.workload, *region, Some(&names), None) {
                let elements = u32::try_from(sites.elements()).unwrap_or(u32::MAX);
                let tensor = if elements == 0 { 0 } else { sites.at(0).tensor };
                let dtype = sites.dtype(tensor).unwrap_or_default();
                let lies = sites.lies(tensor).unwrap_or_default();
                let [name] = names;
                return Ok(Home { region: *region, tensor, name, dtype, lies, elements });
            }
        }
        let valid = regions.iter().flat_map(|region| Sites::names(self.workload, *region));
        let valid = valid.collect::<Vec<_>>().join(", ");
        Err(self.value(format!("a {column} among {valid}"), format!("\"{name}\"")))
    }

    /// The element of it: a number, or a place along each axis.
    pub(super) fn element(&self, home: &Home) -> Result<u32, Error> {
        let along = axes(self.workload).into_iter().find(|axis| self.cell(axis).is_some());
        if let Some(axis) = along {
            if let Some(index) = INDICES.iter().find(|index| self.cell(index).is_some()) {
                let found = format!("both {index} and {axis}");
                return Err(self.value("an index or a place along each axis", found));
            }
            return self.along_axes(home);
        }
        let (column, cell) = self.one_of(&INDICES)?;
        match whole(cell).and_then(|index| u32::try_from(index).ok()) {
            Some(index) if index < home.elements => Ok(index),
            _ => {
                let (elements, name) = (home.elements, &home.name);
                let expected = format!("{column} below {elements}, the elements of {name}");
                Err(self.value(expected, format!("\"{cell}\"")))
            }
        }
    }

    fn along_axes(&self, home: &Home) -> Result<u32, Error> {
        let value = self.struck(home);
        let columns: Vec<&str> = value.axes.iter().map(|axis| column(axis)).collect();
        let mut index = 0;
        for (axis, side) in columns.iter().zip(&value.shape) {
            let Some(cell) = self.cell(axis) else {
                let expected = format!("{axis} of {}, which has {}", home.name, columns.join(", "));
                return Err(self.value(expected, "none"));
            };
            let part = PARTS.iter().position(|part| *axis == "part" && cell == *part);
            let number = whole(cell).and_then(|number| usize::try_from(number).ok());
            let Some(place) = part.or(number).filter(|place| place < side) else {
                let expected = format!("{axis} below {side} in {}", home.name);
                return Err(self.value(expected, format!("\"{cell}\"")));
            };
            index = index * side + place;
        }
        if let Some(other) = axes(self.workload)
            .into_iter()
            .find(|axis| self.cell(axis).is_some() && !columns.contains(axis))
        {
            let expected =
                format!("no {other} with {}, which has {}", home.name, columns.join(", "));
            return Err(self.value(expected, "one"));
        }
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn struck(&self, home: &Home) -> &Value {
        let tensor = home.tensor as usize;
        let values = &self.workload.values;
        match home.region {
            Region::Activations => &values[self.workload.ops[tensor].output.0],
            Region::Input => &values[0],
            _ => {
                let stored = values.iter().find(|value| value.role == Role::Stored(tensor));
                stored.unwrap_or(&values[0])
            }
        }
    }
}
