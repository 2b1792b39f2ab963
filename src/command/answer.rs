//! Answers of language models: their inputs hold the tokens that golden answers with, and are held to that.

use super::Failure;
use super::engines::Chosen;
use super::infer::by_input;
use crate::engine::Windows;
use crate::stage::decision::{answer_length, is_nan, tokens};
use crate::workload::{Decision, Inputs, Workload};
use anyhow::anyhow;

/// The tokens that an output decides on, up to and with the one that ends an answer; `None` where the
/// decision is of another kind.
pub(super) fn answer(workload: &Workload, output: &[u32]) -> Option<Vec<u32>> {
    let Decision::Tokens { positions, ends, nan, .. } = workload.decision else { return None };
    let mut answer = tokens(output, positions, nan);
    answer.truncate(answer_length(&answer, ends));
    Some(answer)
}

/// The input of this number with the tokens that its output answers with after the prompt; those past the
/// end of the answer stay. `None` where there is no prompt.
fn continued(workload: &Workload, input: usize, output: &[u32]) -> Option<Vec<u32>> {
    let Decision::Tokens { prompt: Some(prompt), .. } = workload.decision else { return None };
    let Inputs { features, words, .. } = &workload.inputs;
    let mut tokens = words[input * features..][..*features].to_vec();
    let answer = answer(workload, output)?;
    for (token, answered) in tokens[prompt as usize..].iter_mut().zip(answer) {
        *token = answered;
    }
    Some(tokens)
}

/// Refuses golden that answers otherwise than its input says: what is computed after the first such token
/// would not be its answer.
pub(super) fn check(workload: &Workload, input: usize, output: &[u32]) -> Result<(), Failure> {
    let Some(tokens) = continued(workload, input, output) else { return Ok(()) };
    let held = &workload.inputs.words[input * workload.inputs.features..];
    match tokens.iter().zip(held).position(|(token, held)| token != held) {
        Some(at) => Err(Failure::environment(anyhow!(
            "{}: golden answers input {input} with token {} at position {at} on this adapter, expected {} as \
             the input has it; `beamline import` makes the inputs again",
            workload.name,
            tokens[at],
            held[at]
        ))),
        None => Ok(()),
    }
}

/// The engine over the tokens that golden answers with as inputs: each run of golden settles at least one
/// token more.
///
/// # Errors
/// Where the GPU fails, or an answer is decided by a NaN.
pub(super) fn answered(mut engine: Chosen, windows: &Windows) -> Result<Chosen, Failure> {
    loop {
        let workload = engine.workload();
        let features = workload.output_features() as usize;
        let outputs = by_input(workload, windows, engine.golden_outputs());
        let outputs = outputs.chunks(features).enumerate();
        let words: Option<Vec<Vec<u32>>> =
            outputs.clone().map(|(input, output)| continued(workload, input, output)).collect();
        let Some(words) = words.map(|words| words.concat()) else { return Ok(engine) };
        let nan = |(_, output): &(usize, &[u32])| output.iter().any(|word| is_nan(*word));
        if let Some((input, _)) = outputs.clone().find(nan) {
            return Err(Failure::input(anyhow!(
                "{}: expected numbers from the fault-free run, found a NaN in the answer to input {input}",
                workload.name
            )));
        }
        if words == workload.inputs.words {
            return Ok(engine);
        }
        let inputs = Inputs { words, ..workload.inputs.clone() };
        engine = engine.with_inputs(inputs)?;
    }
}
