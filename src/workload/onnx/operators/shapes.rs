//! Operators that name shapes and give values other ones: elements stay where they are.

use super::super::model::{Data, Node};
use super::super::numbers::{Number, Numbers, axis};
use super::super::trace::{Known, Refusal, Stored, Trace, Traced};
use crate::op::Mismatch;

pub(super) fn same<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["ratio", "seed", "is_test", "consumed_inputs"]);
    Ok(vec![trace.input(node, 0)?])
}

pub(super) fn shape<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let (start, end) = (node.int("start")?.unwrap_or(0), node.int("end")?);
    let sizes = known.shape();
    let batch = match &known {
        Known::Value(value) => value.batch,
        _ => None,
    };
    let numbers = sizes.iter().enumerate().map(|(at, size)| Number {
        value: *size as f64,
        of_batch: batch == Some(at) && !trace.fixed_batch,
    });
    let rank = sizes.len() as i64;
    let within = |at: i64| (if at < 0 { at + rank } else { at }).clamp(0, rank) as usize;
    let (start, end) = (within(start), within(end.unwrap_or(rank)));
    let list: Vec<Number> = numbers.take(end).skip(start).collect();
    Ok(vec![Known::Numbers(Numbers { shape: vec![list.len()], list, floats: false })])
}

pub(super) fn range<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let mut ends = [0.0; 3];
    let mut floats = false;
    for (at, end) in ends.iter_mut().enumerate() {
        match trace.numbers(node, at)? {
            Some(Numbers { list, floats: of, .. }) if list.len() == 1 => {
                if list[0].of_batch {
                    return Err(Refusal::Mixes("by their number".into()));
                }
                (*end, floats) = (list[0].value, of);
            }
            _ => return Err(Mismatch::new("three numbers", "others").into()),
        }
    }
    let count = ((ends[1] - ends[0]) / ends[2]).ceil();
    if !(0.0..65_536.0).contains(&count) {
        return Err(Mismatch::new("a range of fewer than 65536 numbers", count.to_string()).into());
    }
    let number = |at: usize| Number { value: ends[0] + ends[2] * at as f64, of_batch: false };
    let list: Vec<Number> = (0..count as usize).map(number).collect();
    Ok(vec![Known::Numbers(Numbers { shape: vec![list.len()], list, floats })])
}

pub(super) fn constant_of_shape<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let sizes = sizes(trace, node, 0)?;
    let (value, floats) = match node.tensor("value")?.map(|constant| constant.data) {
        None => (0.0, true),
        Some(Data::Floats(words)) if words.len() == 1 => (f32::from_bits(words[0]).into(), true),
        Some(Data::Whole(values)) if values.len() == 1 => (values[0] as f64, false),
        _ => return Err(Mismatch::new("`value` as one number", "another tensor").into()),
    };
    let shape = sizes.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect::<Vec<_>>();
    let filled = Known::Numbers(Numbers::filled(&shape, value, floats)?);
    let batch = of_batch(trace, node, 0)?;
    super::moves::along_batch(trace, filled, batch)
}

/// An input of sizes.
pub(super) fn sizes(trace: &Trace<'_>, node: &Node, at: usize) -> Result<Vec<i64>, Refusal> {
    trace.numbers(node, at)?.map(|numbers| numbers.ints()).ok_or_else(|| {
        Mismatch::new(format!("at least {} inputs", at + 1), node.inputs.len().to_string()).into()
    })
}

/// Which of the sizes of an input follows the number of inferences.
///
/// # Errors
/// Where several do.
pub(super) fn of_batch(
    trace: &Trace<'_>,
    node: &Node,
    at: usize,
) -> Result<Option<usize>, Refusal> {
    let Some(sizes) = trace.numbers(node, at)? else { return Ok(None) };
    let follows = (0..sizes.list.len()).filter(|size| sizes.list[*size].of_batch);
    match follows.collect::<Vec<usize>>()[..] {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err(Refusal::Mixes("along several axes of a new value".into())),
    }
}

/// It under another shape of as many elements; inferences lie along `batch` of it.
pub(super) fn seen_as(
    known: &Known,
    shape: Vec<usize>,
    batch: Option<usize>,
) -> Result<Known, Refusal> {
    let elements = |shape: &[usize]| shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size));
    if elements(known.shape()) != elements(&shape) {
        let found = format!("{shape:?}");
        return Err(Mismatch::new(format!("a shape like {:?}", known.shape()), found).into());
    }
    Ok(match known {
        Known::Numbers(numbers) => Known::Numbers(numbers.reshaped(shape)),
        Known::Stored(stored) if stored.axes.is_none() => {
            Known::Stored(Stored { shape, ..stored.clone() })
        }
        Known::Stored(_) => {
            return Err(Mismatch::new("no reshaping of transposed weights", "one").into());
        }
        Known::Value(value) => value.seen_as(shape, batch),
    })
}

/// A transposed tensor that is reshaped becomes a value first.
fn settled(trace: &mut Trace<'_>, known: Known) -> Result<Known, Refusal> {
    match known {
        Known::Stored(Stored { axes: Some(_), .. }) => Ok(Known::Value(trace.value(&known, None)?)),
        known => Ok(known),
    }
}

pub(super) fn reshape<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    node.pass_over(&["consumed_inputs"]);
    let known = trace.input(node, 0)?;
    let known = settled(trace, known)?;
    let wanted = match node.ints("shape")? {
        Some(shape) => Numbers::whole(vec![shape.len()], shape),
        None => trace.numbers(node, 1)?.ok_or_else(|| Mismatch::new("a shape", "none"))?,
    };
    let zeros = node.int("allowzero")?.unwrap_or(0) == 0;
    let from = known.shape().to_vec();
    let mut shape = Vec::new();
    for (at, size) in wanted.ints().into_iter().enumerate() {
        shape.push(match (size, from.get(at)) {
            (0, Some(size)) if zeros => Some(*size),
            (-1, _) => None,
            (size, _) => match usize::try_from(size) {
                Ok(size) => Some(size),
                Err(_) => return Err(Mismatch::new("sizes, 0 or -1", size.to_string()).into()),
            },
        });
    }
    let mut sizes = shape.iter().flatten();
    let known_part = sizes.try_fold(1_usize, |product, size| product.checked_mul(*size));
    let elements: usize = from.iter().product();
    let open = shape.iter().filter(|size| size.is_none()).count();
    let rest = match (open, known_part) {
        (0, Some(all)) if all == elements => 1,
        (1, Some(part)) if part > 0 && elements.is_multiple_of(part) => elements / part,
        _ => {
            let expected = format!("a shape of {elements} elements, as {from:?} has");
            return Err(Mismatch::new(expected, format!("{:?}", wanted.ints())).into());
        }
    };
    let to: Vec<usize> = shape.iter().map(|size| size.unwrap_or(rest)).collect();
    let batch = match &known {
        Known::Value(Traced { batch: Some(batch), .. }) => {
            let batch = *batch;
            let before: usize = from[..batch].iter().product();
            let starts = |at: &usize| to[..*at].iter().product::<usize>() == before;
            let places: Vec<usize> = (0..to.len()).filter(starts).collect();
            // The place that follows the number of inferences, or else the one that takes what is left.
            let of = |number: &dyn Fn(usize) -> bool| {
                (0..to.len()).filter(|at| number(*at)).collect::<Vec<usize>>()
            };
            let copies = |at: usize| zeros && wanted.list[at].value == 0.0 && at == batch;
            let mut named = of(&|at| wanted.list[at].of_batch || copies(at));
            if named.is_empty() {
                named = of(&|at| wanted.list[at].value == -1.0);
            }
            let place = match (&named[..], trace.fixed_batch) {
                ([], _) | (_, true) => {
                    named.iter().find(|at| places.contains(at)).or(places.first()).copied()
                }
                ([place], false) => Some(*place).filter(|place| places.contains(place)),
                _ => None,
            };
            match place {
                Some(place) => Some(place),
                None => return Err(Refusal::Mixes(format!("in a shape {to:?}"))),
            }
        }
        _ => None,
    };
    Ok(vec![seen_as(&known, to, batch)?])
}

pub(super) fn flatten<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let known = settled(trace, known)?;
    let shape = known.shape();
    let at = node.int("axis")?.unwrap_or(1);
    let at = if at == shape.len() as i64 { shape.len() } else { axis(at, shape.len())? };
    let to = vec![shape[..at].iter().product(), shape[at..].iter().product()];
    let batch = match &known {
        Known::Value(Traced { batch: Some(batch), .. }) if *batch < at => {
            match shape[..*batch].iter().product::<usize>() {
                1 => Some(0),
                _ => return Err(Refusal::Mixes("in rows".into())),
            }
        }
        Known::Value(Traced { batch: Some(batch), .. }) => {
            match shape[at..*batch].iter().product::<usize>() {
                1 => Some(1),
                _ => return Err(Refusal::Mixes("in columns".into())),
            }
        }
        _ => None,
    };
    Ok(vec![seen_as(&known, to, batch)?])
}

/// The axes that an attribute or an input names, in ascending order.
fn named_axes(trace: &Trace<'_>, node: &Node, rank: usize) -> Result<Option<Vec<usize>>, Refusal> {
    let axes = match node.ints("axes")? {
        Some(axes) => Some(axes),
        None => trace.numbers(node, 1)?.map(|numbers| numbers.ints()),
    };
    let Some(axes) = axes else { return Ok(None) };
    let mut axes = axes.into_iter().map(|at| axis(at, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    axes.dedup();
    Ok(Some(axes))
}

pub(super) fn squeeze<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let known = settled(trace, known)?;
    let shape = known.shape().to_vec();
    let batch = match &known {
        Known::Value(value) => value.batch,
        _ => None,
    };
    let axes = match named_axes(trace, node, shape.len())? {
        Some(axes) => axes,
        None => {
            let stays = |at: usize| batch == Some(at) && !trace.fixed_batch;
            (0..shape.len()).filter(|at| shape[*at] == 1 && !stays(*at)).collect()
        }
    };
    if let Some(at) = axes.iter().find(|at| shape[**at] != 1) {
        let found = shape[*at].to_string();
        return Err(Mismatch::new(format!("1 in axis {at}"), found).into());
    }
    if batch.is_some_and(|batch| axes.contains(&batch)) && !trace.fixed_batch {
        return Err(Refusal::Mixes("by leaving out their axis".into()));
    }
    let kept: Vec<usize> = (0..shape.len()).filter(|at| !axes.contains(at)).collect();
    let batch = batch.and_then(|batch| kept.iter().position(|at| *at == batch));
    let to = kept.iter().map(|at| shape[*at]).collect();
    Ok(vec![seen_as(&known, to, batch)?])
}

pub(super) fn unsqueeze<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let known = trace.input(node, 0)?;
    let known = settled(trace, known)?;
    let mut shape = known.shape().to_vec();
    let mut batch = match &known {
        Known::Value(value) => value.batch,
        _ => None,
    };
    let count = match node.ints("axes")? {
        Some(axes) => axes.len(),
        None => sizes(trace, node, 1)?.len(),
    };
    let axes = named_axes(trace, node, shape.len() + count)?.unwrap_or_default();
    for at in axes {
        shape.insert(at, 1);
        batch = batch.map(|batch| if batch >= at { batch + 1 } else { batch });
    }
    Ok(vec![seen_as(&known, shape, batch)?])
}
