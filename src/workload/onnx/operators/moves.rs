//! Operators that move elements and compute nothing.

use super::super::model::Node;
use super::super::numbers::{Numbers, axis, broadcast};
use super::super::operands::narrow;
use super::super::trace::{Known, Operand, Refusal, Stored, Trace, Traced};
use super::list;
use super::shapes::{of_batch, seen_as, sizes};
use crate::op::{Dtype, Given, Mismatch};

/// Ends from here on mean the last place: writers have one or another large number for it.
const FAR: i64 = 1_000_000_000;

/// Elements of a value, at most.
const ELEMENTS_MAX: usize = super::super::VALUE_ELEMENTS_MAX;

/// The value, its shape for one inference, and its axes there.
type PerInference = (Operand, Traced);

/// A value in the shape that one inference has of it.
fn per_inference(trace: &mut Trace<'_>, known: &Known) -> Result<PerInference, Refusal> {
    let value = match known {
        Known::Value(value) => value.clone(),
        known => trace.value(known, None)?,
    };
    let own = value.per_inference();
    let value = trace.value(&Known::Value(value), Some(&own))?;
    Ok((Operand::of(&value), value))
}

pub(super) fn transpose<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let shape = known.shape().to_vec();
    let order = match node.ints("perm")? {
        Some(order) => {
            order.iter().map(|at| axis(*at, shape.len())).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..shape.len()).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..shape.len()).collect::<Vec<_>>() {
        return Err(Mismatch::new("each axis once in `perm`", format!("{order:?}")).into());
    }
    let to: Vec<usize> = order.iter().map(|at| shape[*at]).collect();
    match known {
        Known::Numbers(numbers) => Ok(vec![Known::Numbers(numbers.transposed(&order))]),
        Known::Stored(stored) => {
            let axes = match &stored.axes {
                Some(axes) => order.iter().map(|at| axes[*at]).collect(),
                None => order.clone(),
            };
            let axes = Some(axes).filter(|axes| axes.iter().enumerate().any(|(to, at)| to != *at));
            Ok(vec![Known::Stored(Stored { shape: to, axes, ..stored })])
        }
        Known::Value(value) => {
            let batch = value.batch.and_then(|batch| order.iter().position(|at| *at == batch));
            let dropped = value.batch.filter(|batch| shape[*batch] == 1);
            let own = order.iter().filter(|at| Some(**at) != dropped);
            let own: Vec<usize> =
                own.map(|at| at - usize::from(dropped.is_some_and(|gone| gone < *at))).collect();
            // Where only dimensions of 1 move, elements stay where they are.
            let longer: Vec<usize> = order.iter().copied().filter(|at| shape[*at] > 1).collect();
            if longer.is_sorted() {
                return Ok(vec![value.seen_as(to, batch)]);
            }
            let (operand, _) = per_inference(trace, &Known::Value(value))?;
            let fields = vec![("axes", list(&own))];
            let made = trace.emit(&node.outputs[0], "transpose", fields, vec![], &[operand])?;
            Ok(vec![made.seen_as(to, batch)])
        }
    }
}

pub(super) fn concat<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let parts =
        (0..node.inputs.len()).map(|at| trace.input(node, at)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = parts.first() else { return Err(Mismatch::new("inputs", "none").into()) };
    let rank = first.shape().len();
    let along = axis(node.int("axis")?.unwrap_or(1), rank)?;
    if let Some(other) = parts.iter().find(|part| part.shape().len() != rank) {
        let found = other.shape().len().to_string();
        return Err(Mismatch::new(format!("inputs of {rank} dimensions"), found).into());
    }
    let numbers: Option<Vec<Numbers>> = parts.iter().map(|part| trace.as_numbers(part)).collect();
    let computed = parts.iter().any(|part| matches!(part, Known::Numbers(_)));
    if let (Some(numbers), true) = (numbers, computed) {
        return Ok(vec![Known::Numbers(Numbers::concat(&numbers, along)?)]);
    }
    let mut batch = None;
    for part in &parts {
        if let Known::Value(Traced { batch: Some(at), .. }) = part {
            if batch.is_some_and(|batch| batch != *at) {
                return Err(Refusal::Mixes("that lie along several axes".into()));
            }
            batch = Some(*at);
        }
    }
    if batch == Some(along) {
        return Err(Refusal::Mixes(format!("along axis {along}")));
    }
    let unit = batch.filter(|batch| parts.iter().all(|part| part.shape()[*batch] == 1));
    let own = |shape: &[usize]| {
        let kept = (0..shape.len()).filter(|at| Some(*at) != unit);
        kept.map(|at| shape[at]).collect::<Vec<usize>>()
    };
    let place = along - usize::from(unit.is_some_and(|unit| unit < along));
    let mut made = trace.operand(&parts[0], &own(parts[0].shape()))?;
    let mut shape = parts[0].shape().to_vec();
    for (at, part) in parts.iter().enumerate().skip(1) {
        let mut next = trace.operand(part, &own(part.shape()))?;
        if made.stored && next.stored {
            let own = own(part.shape());
            next = Operand::of(&{
                let value = trace.value(part, None)?;
                trace.value(&Known::Value(value), Some(&own))?
            });
        }
        let last = at + 1 == parts.len();
        let near = if last { node.outputs[0].clone() } else { format!("{}.part", node.outputs[0]) };
        let fields = vec![("axis", Given::Number(narrow(place)))];
        made = trace.emit(&near, "concat", fields, vec![], &[made, next])?;
        shape[along] += part.shape()[along];
    }
    if parts.len() == 1 {
        return Ok(parts);
    }
    Ok(vec![made.seen_as(shape, batch)])
}

/// Some places of each axis: starts, counts and steps, which may go backward.
fn sliced(
    trace: &mut Trace<'_>,
    near: &str,
    known: &Known,
    places: &[(usize, usize, i64)],
) -> Result<Known, Refusal> {
    let shape = known.shape().to_vec();
    let whole = |at: usize| places[at] == (0, shape[at], 1);
    if (0..shape.len()).all(whole) {
        return Ok(known.clone());
    }
    if places.iter().any(|(_, count, _)| *count == 0) && !matches!(known, Known::Numbers(_)) {
        return Err(Mismatch::new("at least one element", "none").into());
    }
    let to: Vec<usize> = places.iter().map(|(_, count, _)| *count).collect();
    if let Known::Numbers(numbers) = known {
        let along = |(start, count, step): &(usize, usize, i64)| {
            (0..*count as i64).map(|at| (*start as i64 + at * step) as usize).collect()
        };
        let picked: Vec<Vec<usize>> = places.iter().map(along).collect();
        return Ok(Known::Numbers(numbers.picked(&picked)));
    }
    let (operand, value) = per_inference(trace, known)?;
    let mut fields = [vec![], vec![], vec![], vec![]];
    for (at, (start, count, step)) in places.iter().enumerate() {
        if whole(at) && value.batch == Some(at) && shape[at] == 1 {
            continue;
        }
        let axis = if whole(at) { fields[0].len() } else { value.axis(at)? };
        if *step < 0 {
            fields[3].push(axis);
        }
        fields[0].push(*start);
        fields[1].push(*count);
        fields[2].push(usize::try_from(step.unsigned_abs()).unwrap_or(1));
    }
    let [starts, counts, steps, backward] = fields.map(|field| list(&field));
    let fields =
        vec![("starts", starts), ("counts", counts), ("steps", steps), ("backward", backward)];
    let made = trace.emit(near, "slice", fields, vec![], &[operand])?;
    Ok(made.seen_as(to, value.batch))
}

pub(super) fn slice<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let shape = known.shape().to_vec();
    let (starts, ends, axes, steps) = match (node.ints("starts")?, node.ints("ends")?) {
        (Some(starts), Some(ends)) => {
            let of_batch = vec![false; ends.len()];
            (starts, ends.into_iter().zip(of_batch).collect::<Vec<_>>(), node.ints("axes")?, None)
        }
        _ => {
            let ends = trace.numbers(node, 2)?.ok_or_else(|| Mismatch::new("ends", "none"))?;
            let of_batch: Vec<bool> = ends.list.iter().map(|number| number.of_batch).collect();
            let ints = |numbers: Option<Numbers>| numbers.map(|numbers| numbers.ints());
            let axes = ints(trace.numbers(node, 3)?);
            let steps = ints(trace.numbers(node, 4)?);
            (sizes(trace, node, 1)?, ends.ints().into_iter().zip(of_batch).collect(), axes, steps)
        }
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
        return Err(Mismatch::new("as many starts as ends, axes and steps", "others").into());
    }
    let batch = match &known {
        Known::Value(value) => value.batch,
        _ => None,
    };
    let mut places: Vec<(usize, usize, i64)> = shape.iter().map(|size| (0, *size, 1)).collect();
    for (at, named) in axes.iter().enumerate() {
        let along = axis(*named, shape.len())?;
        let (size, step) = (shape[along] as i64, steps[at]);
        if step == 0 {
            return Err(Mismatch::new("steps other than 0", "0").into());
        }
        let (end, follows) = ends[at];
        let all = starts[at] == 0 && step == 1 && (end >= FAR || follows);
        if batch == Some(along) && !all && !(trace.fixed_batch && size == 1) {
            return Err(Refusal::Mixes(format!("along axis {along}")));
        }
        if size == 0 {
            continue;
        }
        let near = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
        let (least, most) = if step > 0 { (0, size) } else { (-1, size - 1) };
        // An end below the first place of all means "down to it".
        let end = if step < 0 && end <= -FAR { -1 } else { near(end).clamp(least, most) };
        let start = near(starts[at]).clamp(0, if step > 0 { size } else { size - 1 });
        let span = if step > 0 { end - start } else { start - end };
        let count = if span > 0 { (span - 1) / step.saturating_abs() + 1 } else { 0 };
        places[along] = (start as usize, count as usize, step);
    }
    Ok(vec![sliced(trace, &node.outputs[0], &known, &places)?])
}

pub(super) fn split<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let shape = known.shape().to_vec();
    let along = axis(node.int("axis")?.unwrap_or(0), shape.len())?;
    let outputs = node.outputs.len();
    node.pass_over(&["num_outputs"]);
    let given = match node.ints("split")? {
        Some(sizes) => Some(sizes),
        None => trace.numbers(node, 1)?.map(|numbers| numbers.ints()),
    };
    let counts: Vec<usize> = match given {
        Some(sizes) => sizes.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect(),
        None => {
            let each = shape[along].div_ceil(outputs);
            let left = |at: usize| shape[along].saturating_sub(at * each).min(each);
            (0..outputs).map(left).collect()
        }
    };
    if counts.len() != outputs
        || counts.iter().try_fold(0_usize, |sum, n| sum.checked_add(*n)) != Some(shape[along])
    {
        let expected = format!("{outputs} parts of {} in all", shape[along]);
        return Err(Mismatch::new(expected, format!("{counts:?}")).into());
    }
    if let Known::Value(value) = &known {
        value.axis(along)?;
    }
    let mut start = 0;
    let mut made = Vec::new();
    for (name, count) in node.outputs.iter().zip(counts) {
        let mut places: Vec<(usize, usize, i64)> = shape.iter().map(|size| (0, *size, 1)).collect();
        places[along] = (start, count, 1);
        start += count;
        made.push(match trace.read.contains(name.as_str()) {
            true => sliced(trace, name, &known, &places)?,
            false => Known::Numbers(Numbers::whole(vec![0], [])),
        });
    }
    Ok(made)
}

pub(super) fn gather<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let (data, indices) = (trace.input(node, 0)?, trace.input(node, 1)?);
    let shape = data.shape().to_vec();
    let along = axis(node.int("axis")?.unwrap_or(0), shape.len())?;
    let to = [&shape[..along], indices.shape(), &shape[along + 1..]].concat();
    if let Known::Numbers(indices) = &indices {
        let places = indices.ints().into_iter().map(|at| {
            let wrong =
                || Mismatch::new(format!("indices of {} entries", shape[along]), at.to_string());
            axis(at, shape[along]).map_err(|_| wrong())
        });
        let places = places.collect::<Result<Vec<usize>, _>>()?;
        check_elements(&to)?;
        if indices.of_batch() {
            return Err(Refusal::Mixes("by their number".into()));
        }
        if let Known::Numbers(data) = &data {
            super::super::numbers::check_size(&to)?;
            let all = shape.iter().enumerate().map(|(at, size)| match at == along {
                true => places.clone(),
                false => (0..*size).collect(),
            });
            let picked = data.picked(&all.collect::<Vec<Vec<usize>>>());
            return Ok(vec![Known::Numbers(picked.reshaped(to))]);
        }
        let (operand, value) = per_inference(trace, &data)?;
        let place = value.axis(along)?;
        let fields = vec![("places", list(&places)), ("axis", Given::Number(narrow(place)))];
        let made = trace.emit(&node.outputs[0], "take", fields, vec![], &[operand])?;
        let batch = value.batch.map(|batch| match batch > along {
            true => batch + indices.shape.len() - 1,
            false => batch,
        });
        return Ok(vec![made.seen_as(to, batch)]);
    }
    // Numbers of the input choose among the rows of a tensor.
    let (Known::Stored(_), 0, [entries, rest @ ..]) = (&data, along, &shape[..]) else {
        let expected = "rows of a tensor, chosen by numbers of the input";
        return Err(Mismatch::new(expected, "others").into());
    };
    let width = rest.iter().product();
    let value = trace.value(&indices, None)?;
    if value.dtype != Dtype::U32 {
        return Err(Mismatch::new("whole numbers as indices", "floats").into());
    }
    let flat = value.own.iter().product::<usize>();
    let value = trace.value(&Known::Value(value), Some(&[flat]))?;
    let weight = trace.tensor(&data, &[*entries, width])?;
    let operand = Operand::of(&value);
    let near = &node.outputs[0];
    let made = trace.emit(near, "embedding", vec![], vec![("weight", weight)], &[operand])?;
    Ok(vec![made.seen_as(to, value.batch)])
}

pub(super) fn expand<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let wanted = sizes(trace, node, 1)?;
    let wanted: Option<Vec<usize>> =
        wanted.iter().map(|size| usize::try_from(*size).ok()).collect();
    let wanted = wanted.ok_or_else(|| Mismatch::new("sizes from 0", "a negative one"))?;
    let to = broadcast(known.shape(), &wanted)?;
    check_elements(&to)?;
    let batch = of_batch(trace, node, 1)?.map(|axis| axis + to.len() - wanted.len());
    let lacking = to.len() - known.shape().len();
    match (&known, batch) {
        (Known::Value(Traced { batch: Some(own), .. }), Some(batch)) if own + lacking != batch => {
            Err(Refusal::Mixes(format!("along axis {batch} of a new value")))
        }
        (Known::Value(Traced { batch: Some(_), .. }), _) | (_, None) => {
            expanded(trace, &node.outputs[0], &known, &to)
        }
        (_, batch) => {
            let made = expanded(trace, &node.outputs[0], &known, &to)?.remove(0);
            along_batch(trace, made, batch)
        }
    }
}

/// A value that is made anew for each inference, which lie along this axis of it, where there is one.
/// Numbers whose number of dimensions is 1 stay numbers: shapes are made of them.
pub(super) fn along_batch(
    trace: &mut Trace<'_>,
    known: Known,
    batch: Option<usize>,
) -> Result<Vec<Known>, Refusal> {
    let Some(batch) = batch.filter(|_| !trace.fixed_batch) else { return Ok(vec![known]) };
    let value = trace.value(&known, None)?;
    Ok(vec![value.seen_as(value.shape.clone(), Some(batch))])
}

/// Refuses a shape of more elements than a value may have.
fn check_elements(shape: &[usize]) -> Result<(), Mismatch> {
    let elements = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    match elements {
        Some(elements) if elements <= ELEMENTS_MAX => Ok(()),
        _ => Err(Mismatch::new(format!("{ELEMENTS_MAX} elements at most"), format!("{shape:?}"))),
    }
}

fn expanded(
    trace: &mut Trace<'_>,
    near: &str,
    known: &Known,
    to: &[usize],
) -> Result<Vec<Known>, Refusal> {
    let from = known.shape().to_vec();
    let lacking = to.len() - from.len();
    let batch = match known {
        Known::Value(value) => value.batch.map(|batch| batch + lacking),
        _ => None,
    };
    if let Some(batch) = batch.filter(|batch| to[*batch] != from[batch - lacking]) {
        return Err(Refusal::Mixes(format!("along axis {batch}")));
    }
    let elements = |shape: &[usize]| shape.iter().product::<usize>();
    match known {
        Known::Numbers(numbers) => return Ok(vec![Known::Numbers(numbers.expanded(to)?)]),
        Known::Stored(Stored { axes: Some(_), .. }) => {}
        known if elements(&from) == elements(to) => {
            return Ok(vec![seen_as(known, to.to_vec(), batch)?]);
        }
        _ => {}
    }
    let gone = batch.filter(|batch| to[*batch] == 1);
    let own = |shape: &[usize], gone: Option<usize>| {
        let kept = (0..shape.len()).filter(|at| Some(*at) != gone);
        let kept: Vec<usize> = kept.map(|at| shape[at]).collect();
        if kept.is_empty() { vec![1] } else { kept }
    };
    let operand = trace.operand(known, &own(&from, gone.map(|gone| gone - lacking)))?;
    let fields = vec![("shape", list(&own(to, gone)))];
    let made = trace.emit(near, "expand", fields, vec![], &[operand])?;
    Ok(vec![made.seen_as(to.to_vec(), batch)])
}

pub(super) fn tile<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let repeats = sizes(trace, node, 1)?;
    let repeats: Option<Vec<usize>> = repeats.iter().map(|n| usize::try_from(*n).ok()).collect();
    let shape = known.shape().to_vec();
    let repeats = repeats.filter(|repeats| repeats.len() == shape.len());
    let repeats =
        repeats.ok_or_else(|| Mismatch::new("a number of repeats for each axis", "others"))?;
    let longer = shape.iter().zip(&repeats).map(|(size, repeats)| size.checked_mul(*repeats));
    let to = longer.collect::<Option<Vec<usize>>>().unwrap_or_else(|| vec![usize::MAX]);
    check_elements(&to)?;
    if let Some(batch) = of_batch(trace, node, 1)?.filter(|_| !trace.fixed_batch) {
        return Err(Refusal::Mixes(format!("along axis {batch}")));
    }
    if let Known::Numbers(numbers) = &known {
        super::super::numbers::check_size(&to)?;
        let all =
            shape.iter().zip(&to).map(|(size, longer)| (0..*longer).map(|at| at % size).collect());
        return Ok(vec![Known::Numbers(numbers.picked(&all.collect::<Vec<Vec<usize>>>()))]);
    }
    let (operand, value) = per_inference(trace, &known)?;
    let mut own = Vec::new();
    for (at, repeats) in repeats.iter().enumerate() {
        match (value.axis(at), repeats) {
            (Err(_), 1) if shape[at] == 1 => {}
            (Err(_), 1) => own.push(1),
            (axis, repeats) => {
                axis?;
                own.push(*repeats);
            }
        }
    }
    if own.is_empty() {
        own.push(1);
    }
    let made =
        trace.emit(&node.outputs[0], "tile", vec![("repeats", list(&own))], vec![], &[operand])?;
    Ok(vec![made.seen_as(to, value.batch)])
}

pub(super) fn pad<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let (operand, value) = {
        let known = trace.input(node, 0)?;
        per_inference(trace, &known)?
    };
    let rank = value.shape.len();
    let mode = node.word("mode", "constant")?;
    let (pads, fill) = match node.ints("pads")? {
        Some(pads) => (pads, node.float("value", 0.0)?),
        None => (sizes(trace, node, 1)?, trace.scalar(node, 2)?.unwrap_or(0.0)),
    };
    let axes = match trace.numbers(node, 3)? {
        Some(axes) => {
            axes.ints().iter().map(|at| axis(*at, rank)).collect::<Result<Vec<_>, _>>()?
        }
        None => (0..rank).collect(),
    };
    if pads.len() != 2 * axes.len() {
        let found = pads.len().to_string();
        return Err(Mismatch::new(format!("{} pads", 2 * axes.len()), found).into());
    }
    let mut around = [vec![0; operand.shape.len()], vec![0; operand.shape.len()]];
    let mut to = value.shape.clone();
    for (end, around) in around.iter_mut().enumerate() {
        for (at, along) in axes.iter().enumerate() {
            let by = pads[end * axes.len() + at];
            let by =
                usize::try_from(by).map_err(|_| Mismatch::new("pads from 0", by.to_string()))?;
            if by > 0 {
                around[value.axis(*along)?] = by;
                to[*along] = to[*along].saturating_add(by);
            }
        }
    }
    let [before, after] = around;
    let fields = vec![
        ("before", list(&before)),
        ("after", list(&after)),
        ("mode", Given::Word(mode)),
        ("value", Given::Float(fill)),
    ];
    let made = trace.emit(&node.outputs[0], "pad", fields, vec![], &[operand])?;
    Ok(vec![made.seen_as(to, value.batch)])
}
