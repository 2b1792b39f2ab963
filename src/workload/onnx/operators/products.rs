//! Products of matrices.

use super::super::model::Node;
use super::super::numbers::broadcast;
use super::super::trace::{Known, Operand, Refusal, Stored, Trace};
use super::elementwise::scaled;
use super::floats;
use super::quantised::{self, Scales};
use crate::op::{Given, Mismatch, Shape};

/// One factor: its shape as the model sees it with at least two dimensions, and where inferences lie in it.
struct Factor {
    known: Known,
    shape: Vec<usize>,
    batch: Option<usize>,
    /// Whether its matrices lie with rows and columns exchanged.
    transposed: bool,
}

impl Factor {
    fn of(known: Known, second: bool) -> Result<Self, Refusal> {
        floats(&known)?;
        Self::of_any(known, second)
    }

    /// One of any numbers.
    fn of_any(known: Known, second: bool) -> Result<Self, Refusal> {
        let mut shape = known.shape().to_vec();
        let mut batch = match &known {
            Known::Value(value) => value.batch,
            _ => None,
        };
        if shape.len() == 1 {
            // A vector is a row on the left, a column on the right.
            let at = usize::from(second);
            shape.insert(at, 1);
            batch = batch.map(|batch| if at <= batch { batch + 1 } else { batch });
        }
        if shape.len() < 2 {
            return Err(Mismatch::new("matrices", "a number").into());
        }
        // A tensor whose last two axes are exchanged is read as it lies.
        let rank = shape.len();
        let exchanged = |axes: &[usize]| {
            let mut last: Vec<usize> = (0..rank).collect();
            last.swap(rank - 1, rank - 2);
            axes == last
        };
        if let Known::Stored(stored @ Stored { axes: Some(axes), .. }) = &known
            && exchanged(axes)
        {
            let mut lies = shape.clone();
            lies.swap(rank - 1, rank - 2);
            let known = Known::Stored(Stored { shape: lies, axes: None, ..stored.clone() });
            return Ok(Self { known, shape, batch, transposed: true });
        }
        Ok(Self { known, shape, batch, transposed: false })
    }

    /// What an op reads: without the axis of inferences, and without leading dimensions of 1.
    fn operand(&self, trace: &mut Trace<'_>, gone: Option<usize>) -> Result<Operand, Refusal> {
        let mut shape = self.shape.clone();
        if self.transposed {
            let rank = shape.len();
            shape.swap(rank - 1, rank - 2);
        }
        if let Some(gone) = gone.filter(|gone| *gone + 2 < shape.len()) {
            shape.remove(gone);
        }
        let leading = shape.len() - 2;
        let ones = shape[..leading].iter().take_while(|size| **size == 1).count();
        trace.operand(&self.known, &shape[ones..])
    }
}

/// The shape of a product as the model sees it, and where inferences lie in it.
fn product(a: &Factor, b: &Factor) -> Result<(Vec<usize>, Option<usize>), Refusal> {
    let (rank_a, rank_b) = (a.shape.len(), b.shape.len());
    if a.shape[rank_a - 1] != b.shape[rank_b - 2] {
        let found = format!("{} and {}", Shape(&a.shape), Shape(&b.shape));
        return Err(Mismatch::new("as many columns on the left as rows on the right", found).into());
    }
    let lead = broadcast(&a.shape[..rank_a - 2], &b.shape[..rank_b - 2])?;
    let rank = lead.len() + 2;
    let shape = [&lead[..], &[a.shape[rank_a - 2], b.shape[rank_b - 1]]].concat();
    if a.batch == Some(rank_a - 1) || b.batch == Some(rank_b - 2) {
        return Err(Refusal::Mixes("in sums of products".into()));
    }
    let axis = |factor: &Factor| factor.batch.map(|batch| batch + rank - factor.shape.len());
    let batch = match (axis(a), axis(b)) {
        (None, None) => None,
        (Some(axis), None) | (None, Some(axis)) => Some(axis),
        (Some(x), Some(y)) if x == y && x < rank - 2 => Some(x),
        (Some(_), Some(_)) => return Err(Refusal::Mixes("that lie along several axes".into())),
    };
    // The other factor may not have an entry for each inference.
    for factor in [a, b] {
        if let (Some(batch), None) = (batch.filter(|batch| *batch < rank - 2), factor.batch) {
            let at = (batch + factor.shape.len()).checked_sub(rank);
            if at.is_some_and(|at| factor.shape[at] > 1) {
                return Err(Refusal::Mixes("with a tensor that has one entry for each".into()));
            }
        }
    }
    Ok((shape, batch))
}

/// The kind of a dense layer.
const fn linear(quantised: bool) -> &'static str {
    if quantised { "linear-i8" } else { "linear" }
}

/// A product as an op makes it, the shape as the model sees it, and where inferences lie in it.
type Product = (Operand, Vec<usize>, Option<usize>);

/// Adds the product of two factors of floats.
fn multiply(trace: &mut Trace<'_>, near: &str, a: &Factor, b: &Factor) -> Result<Product, Refusal> {
    let (shape, batch) = product(a, b)?;
    // A row times a matrix whose rows lie as outputs is a dense layer.
    if let (true, Known::Value(_), Known::Stored(_), [1, k]) =
        (b.transposed, &a.known, &b.known, &a.shape[..])
        && b.shape.len() == 2
    {
        let (tensors, quantised) = trace.weights(&b.known, &[b.shape[1], *k], None)?;
        let x = trace.operand(&a.known, &[*k])?;
        let made = trace.emit(near, linear(quantised), vec![], tensors, &[x])?;
        return Ok((made, shape, batch));
    }
    matrices(trace, (near, "matmul"), vec![], [a, b])
}

/// Adds an op that multiplies the matrices of two factors.
fn matrices(
    trace: &mut Trace<'_>,
    (near, kind): (&str, &str),
    tensors: Vec<(&'static str, Operand)>,
    [a, b]: [&Factor; 2],
) -> Result<Product, Refusal> {
    let (shape, batch) = product(a, b)?;
    let rank = shape.len();
    let gone = |factor: &Factor| {
        let batch = batch.filter(|batch| *batch < rank - 2 && shape[*batch] == 1)?;
        (batch + factor.shape.len()).checked_sub(rank)
    };
    let mut operands = [a.operand(trace, gone(a))?, b.operand(trace, gone(b))?];
    if operands.iter().all(|operand| operand.stored) {
        let own = operands[0].shape.clone();
        let value = trace.value(&a.known, None)?;
        operands[0] = Operand::of(&trace.value(&Known::Value(value), Some(&own))?);
    }
    let fields = vec![
        ("transpose_a", Given::Number(a.transposed.into())),
        ("transpose_b", Given::Number(b.transposed.into())),
    ];
    let made = trace.emit(near, kind, fields, tensors, &operands)?;
    Ok((made, shape, batch))
}

pub(super) fn matmul<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let (left, right) = (trace.input(node, 0)?, trace.input(node, 1)?);
    let vectors = [left.shape().len() == 1, right.shape().len() == 1];
    let (a, b) = (Factor::of(left, false)?, Factor::of(right, true)?);
    let product = multiply(trace, &node.outputs[0], &a, &b)?;
    Ok(vec![without_vectors(product, vectors)?])
}

/// The integer sums of a product: inputs `at` of the node are its factors and their zero points.
fn integer_sums(
    trace: &mut Trace<'_>,
    near: &str,
    node: &Node,
    at: [usize; 4],
) -> Result<(Product, [bool; 2]), Refusal> {
    let (left, right) = (trace.input(node, at[0])?, trace.input(node, at[1])?);
    let vectors = [left.shape().len() == 1, right.shape().len() == 1];
    let input_zero = quantised::zero(trace, node, at[2], left.dtype())?;
    let weight_zero = quantised::zero(trace, node, at[3], right.dtype())?;
    let (a, b) = (Factor::of_any(left, false)?, Factor::of_any(right, true)?);
    let tensors = vec![("input_zero", input_zero), ("weight_zero", weight_zero)];
    Ok((matrices(trace, (near, "matmul-integer"), tensors, [&a, &b])?, vectors))
}

pub(super) fn matmul_integer<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let (sums, vectors) = integer_sums(trace, &node.outputs[0], node, [0, 1, 2, 3])?;
    Ok(vec![without_vectors(sums, vectors)?])
}

pub(super) fn qlinear_matmul<'m>(
    trace: &mut Trace<'m>,
    node: &'m Node,
) -> Result<Vec<Known>, Refusal> {
    let near = format!("{}.sums", node.outputs[0]);
    let ((sums, shape, batch), vectors) = integer_sums(trace, &near, node, [0, 3, 2, 5])?;
    let scales = Scales { input: 1, weight: 4, output: 6, zero: 7, bias: None };
    let last = sums.shape.len() - 1;
    let made = quantised::requantize(trace, node, (sums, last), &scales)?;
    Ok(vec![without_vectors((made, shape, batch), vectors)?])
}

/// A product as the model sees it, whose factors may be vectors.
fn without_vectors(
    (made, mut shape, mut batch): Product,
    vectors: [bool; 2],
) -> Result<Known, Refusal> {
    let rank = shape.len();
    for (vector, at) in vectors.into_iter().zip([rank - 2, rank - 1]).rev() {
        if vector {
            if batch == Some(at) {
                return Err(Refusal::Mixes("in a vector".into()));
            }
            shape.remove(at);
            batch = batch.map(|batch| if batch > at { batch - 1 } else { batch });
        }
    }
    Ok(made.seen_as(shape, batch))
}

/// A matrix with rows and columns exchanged.
fn exchanged(trace: &mut Trace<'_>, near: &str, known: Known) -> Result<Known, Refusal> {
    let shape: Vec<usize> = known.shape().iter().rev().copied().collect();
    Ok(match known {
        Known::Stored(stored) => {
            let axes = if stored.axes.is_none() { Some(vec![1, 0]) } else { None };
            Known::Stored(Stored { shape, axes, ..stored })
        }
        Known::Numbers(numbers) => Known::Numbers(numbers.transposed(&[1, 0])),
        Known::Value(value) => {
            let batch = value.batch.map(|batch| 1 - batch);
            if value.shape.contains(&1) {
                return Ok(value.seen_as(shape, batch));
            }
            let own = value.shape.clone();
            let value = trace.value(&Known::Value(value), Some(&own))?;
            let fields = vec![("axes", super::list(&[1, 0]))];
            let operands = [Operand::of(&value)];
            let made =
                trace.emit(&format!("{near}.part"), "transpose", fields, vec![], &operands)?;
            made.seen_as(shape, batch)
        }
    })
}

pub(super) fn gemm<'m>(trace: &mut Trace<'m>, node: &'m Node) -> Result<Vec<Known>, Refusal> {
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    node.pass_over(&["broadcast"]);
    let near = &node.outputs[0];
    let mut factors = [trace.input(node, 0)?, trace.input(node, 1)?];
    for (factor, key) in factors.iter_mut().zip(["transA", "transB"]) {
        if factor.shape().len() != 2 {
            let found = Shape(factor.shape()).to_string();
            return Err(Mismatch::new("two matrices", found).into());
        }
        if node.int(key)?.unwrap_or(0) != 0 {
            *factor = exchanged(trace, near, factor.clone())?;
        }
    }
    let [left, right] = factors;
    let (a, b) = (Factor::of(left, false)?, Factor::of(right, true)?);
    let addend = trace.optional(node, 2)?.filter(|_| beta != 0.0);
    let plain = alpha == 1.0 && beta == 1.0;
    // A dense layer with its biases is one op.
    if let (true, true, Known::Value(_), Known::Stored(_), [1, k], Some(bias @ Known::Stored(_))) =
        (plain, b.transposed, &a.known, &b.known, &a.shape[..], &addend)
        && bias.shape().iter().product::<usize>() == b.shape[1]
    {
        let (shape, batch) = product(&a, &b)?;
        let outputs = b.shape[1];
        let (tensors, quantised) = trace.weights(&b.known, &[outputs, *k], Some(bias))?;
        let x = trace.operand(&a.known, &[*k])?;
        let made = trace.emit(near, linear(quantised), vec![], tensors, &[x])?;
        return Ok(vec![made.seen_as(shape, batch)]);
    }
    let whole = alpha == 1.0 && addend.is_none();
    let part = format!("{near}.part");
    let (made, shape, batch) = multiply(trace, if whole { near } else { &part }, &a, &b)?;
    let mut made = made.seen_as(shape, batch);
    if alpha != 1.0 {
        made = scaled(trace, if addend.is_none() { near } else { &part }, &made, [alpha, 0.0])?;
    }
    let Some(mut addend) = addend else { return Ok(vec![made]) };
    if beta != 1.0 {
        addend = scaled(trace, &part, &addend, [beta, 0.0])?;
    }
    Ok(vec![super::elementwise::sum(trace, near, [&made, &addend])?])
}

#[cfg(test)]
mod tests {
    use super::super::super::trace::Traced;
    use super::*;
    use crate::op::Dtype;

    fn value(shape: &[usize], batch: Option<usize>) -> Factor {
        let (name, own, shape) = ("x".into(), shape.to_vec(), shape.to_vec());
        let known = Known::Value(Traced { name, own, shape, batch, dtype: Dtype::F32 });
        Factor::of(known, false).expect("a factor")
    }

    #[test]
    fn a_product_keeps_inferences_apart_or_is_refused() {
        let shape = |a: &Factor, b: &Factor| product(a, b).map_err(|_| ());
        let rows = value(&[1, 5], Some(0));
        assert_eq!(shape(&rows, &value(&[5, 3], None)), Ok((vec![1, 3], Some(0))));
        let heads = value(&[1, 4, 6, 8], Some(0));
        let keys = value(&[1, 4, 8, 6], Some(0));
        assert_eq!(shape(&heads, &keys), Ok((vec![1, 4, 6, 6], Some(0))));
        assert_eq!(shape(&rows, &value(&[5, 1], Some(1))), Err(()));
        assert_eq!(shape(&value(&[5, 1], Some(1)), &value(&[1, 3], None)), Err(()));
        assert_eq!(shape(&heads, &value(&[2, 4, 8, 6], None)), Err(()));
    }
}
