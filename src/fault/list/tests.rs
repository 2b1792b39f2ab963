//! Tests of fault lists: the lists of the reference data as they are, and what is refused.

use super::*;
use crate::fault::bench::mlp;

fn read(text: &str) -> Result<Vec<Listed>, Error> {
    read_text(text.as_bytes(), Path::new("faults.csv"), &mlp(&[8, 6, 4], 5), 5)
}

fn refused(text: &str) -> String {
    read(text).expect_err("a list to refuse").to_string()
}

fn listed(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("campaigns/lists").join(file);
    std::fs::read_to_string(path).expect("a list of the repository")
}

fn outcomes(trials: &[Listed]) -> [usize; 4] {
    [Outcome::Masked, Outcome::TolerableSdc, Outcome::CriticalSdc, Outcome::Due]
        .map(|outcome| trials.iter().filter(|trial| trial.outcome == Some(outcome)).count())
}

#[test]
fn the_neuron_list_loads_as_it_is() {
    let text = listed("mlp_neuron_sampled_4000.csv");
    let workload = mlp(&[64, 128, 64, 10], 128);
    let trials = read_text(text.as_bytes(), Path::new("n.csv"), &workload, 128);
    let trials = trials.expect("the list as it is");
    assert_eq!(outcomes(&trials), [703, 3136, 129, 32]);
    assert_eq!((trials[0].number, trials[0].line, trials[0].input), (0, 2, Some(77)));
    let fault = trials[0].faults[0];
    assert_eq!((fault.region, fault.tensor, fault.index), (Region::Activations, 0, 27));
    assert_eq!((fault.mask, fault.kind, fault.replica), (1 << 26, FaultKind::Xor, None));
}

#[test]
fn the_weight_list_loads_as_it_is_and_only_for_its_weights() {
    let text = listed("mlp_weight_sampled_4000.csv");
    let mut workload = mlp(&[64, 128, 64, 10], 128);
    let read = |workload: &Workload| read_text(text.as_bytes(), Path::new("w.csv"), workload, 128);
    let other = read(&workload).expect_err("other weights").to_string();
    assert!(other.starts_with("w.csv:2: expected original_hex "), "{other}");
    assert!(other.ends_with("found be986ac9"), "{other}");
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let tensor = workload.tensor(cells[1]).expect("a tensor of the perceptron");
        let index: usize = cells[2].parse().expect("an index");
        workload.tensors[tensor].words[index] = u32::from_str_radix(cells[4], 16).expect("a word");
    }
    let trials = read(&workload).expect("the list as it is");
    assert_eq!(outcomes(&trials), [627, 3292, 80, 1]);
    assert!(trials.iter().all(|trial| trial.input.is_none() && trial.faults.len() == 1));
}

#[test]
fn rows_of_one_trial_are_its_faults() {
    let text = "trial,tensor,layer,index,mask,kind,input,replica,outcome\n\
                4,fc1.weight,,3,0x30,stuck-at-1,2,1,\n\
                4,,relu1,5,0b1000,,2,,\n\
                9,,input,7,0X1,xor,0,,due-recovered\n";
    let trials = read(text).expect("a list");
    assert_eq!(trials.iter().map(|trial| trial.number).collect::<Vec<_>>(), [4, 9]);
    assert_eq!(trials[0].faults.len(), 2);
    assert_eq!(trials[0].faults[0].replica, Some(1));
    assert_eq!(trials[0].faults[0].kind, FaultKind::StuckAt1);
    assert_eq!((trials[0].faults[1].region, trials[0].faults[1].tensor), (Region::Activations, 1));
    assert_eq!(trials[1].faults[0].region, Region::Input);
    assert_eq!(trials[1].outcome, Some(Outcome::DueRecovered));
    let alone = read("tensor,index,bit\nfc1.bias,0,0\nfc1.bias,0,0\n").expect("two trials");
    assert_eq!(alone.len(), 2, "without `trial` each row is a trial of its own");
}

#[test]
fn refusals_name_file_line_expected_and_found() {
    for (text, message) in [
        (
            "tensor,index,bit\n",
            "faults.csv:1: expected one fault or more, found a header without rows",
        ),
        ("", "faults.csv:1: expected a column tensor or layer, found \"\""),
        (
            "tensor,index,bit,colour\n",
            "faults.csv:1: expected columns among tensor, layer, flat_index",
        ),
        ("tensor,index,bit,colour\n", "found column \"colour\""),
        ("tensor,index,bit,bit\n", "found column \"bit\" twice"),
        (
            "index,bit\n0,1\n",
            "faults.csv:1: expected a column tensor or layer, found \"index,bit\"",
        ),
        (
            "tensor,index,bit\nfc1.bias,0\n",
            "faults.csv:2: expected 3 cells, as the header has, found 2",
        ),
        (
            "tensor,index,bit\nfc1.bias,5,1\nfc1.bias,6,1\n",
            "faults.csv:3: expected index below 6, the elements of fc1.bias, found \"6\"",
        ),
        (
            "tensor,index,bit\r\nfc1.bias,0,1\r\n\r\nfc1.bias,0\r\n",
            "faults.csv:4: expected 3 cells",
        ),
        ("tensor,index,bit\n\n\nfc1.bias,0,32\n", "faults.csv:4: expected bit from 0"),
        ("tensor,index,bit\nfc1.bias,-1,1\n", "found \"-1\""),
        (
            "tensor,index,bit\nfc9.bias,0,1\n",
            "faults.csv:2: expected a tensor among fc1.weight, fc1.bias, fc2.weight, fc2.bias, \
             found \"fc9.bias\"",
        ),
        (
            "layer,index,bit,input\nflat,0,1,0\n",
            "expected a layer among fc1, relu1, fc2, input, found \"flat\"",
        ),
        (
            "tensor,index,bit\nfc1.bias,0,32\n",
            "faults.csv:2: expected bit from 0 to 31, found \"32\"",
        ),
        ("tensor,index,bit\nfc1.bias,0,x\n", "expected bit from 0 to 31, found \"x\""),
        ("layer,index,bit,input\nfc1,0,1,5\n", "expected input from 0 to 4, found \"5\""),
        (
            "layer,index,bit\nfc1,0,1\n",
            "expected an input for the activations fault in fc1, found none",
        ),
        ("tensor,index,mask\nfc1.bias,0,0x0\n", "expected a mask with a bit set, found 0"),
        ("tensor,index,mask\nfc1.bias,0,0x123456789\n", "faults.csv:2: expected a mask of 32 bits"),
        ("tensor,index,mask\nfc1.bias,0,0x+1\n", "expected a mask of 32 bits, found \"0x+1\""),
        ("tensor,index,mask\nfc1.bias,0,0b12\n", "expected a mask of 32 bits, found \"0b12\""),
        (
            "tensor,index,mask\nfc1.bias,0,10\n",
            "faults.csv:2: expected a mask with its base: 0x10 if it is hexadecimal, 0xa if it is \
             decimal, found \"10\"",
        ),
        (
            "tensor,index,mask\nfc1.bias,0,80000000\n",
            "expected a mask with its base: 0x80000000 if it is hexadecimal, 0x4c4b400 if it is \
             decimal, found \"80000000\"",
        ),
        (
            "tensor,index,mask\nfc1.bias,0,1e5\n",
            "expected a mask with its base: 0x1e5 if it is hexadecimal, found \"1e5\"",
        ),
        (
            "tensor,index,mask\nfc1.bias,0,16.0\n",
            "expected a mask with its base: 0x10 if it is decimal, found \"16.0\"",
        ),
        (
            "tensor,index,mask\nfc1.bias,0,x\n",
            "expected a mask with its base: 0x and hexadecimal digits, or 0b and binary ones, found",
        ),
        ("tensor,index,bit\nfc1.bias,0,2.5\n", "expected bit from 0 to 31, found \"2.5\""),
        ("tensor,index,bit\nfc1.bias,0,1e1\n", "expected bit from 0 to 31, found \"1e1\""),
        ("tensor,index,,bit\nfc1.bias,0,0,1\n", "expected columns among tensor, layer"),
        ("# a\n# b\ntensor,index,bit,Bit\n", "faults.csv:3: expected each column once, found"),
        ("# a\n\n# b\n", "faults.csv:4: expected a column tensor or layer, found \"\""),
        (
            "# a\ntensor,index,bit\n# b\nfc1.bias,0,1\n\n # c\nfc1.bias,0,99\n",
            "faults.csv:7: expected bit from 0 to 31, found \"99\"",
        ),
        (
            "tensor,index,bit,mask\nfc1.bias,0,1,1\n",
            "expected one of bit, mask, found both bit and mask",
        ),
        ("tensor,index,bit,kind\nfc1.bias,0,1,flip\n", "expected a kind among xor"),
        ("tensor,index,bit,outcome\nfc1.bias,0,1,bad\n", "expected an outcome among masked"),
        ("tensor,index,bit,replica\nfc1.bias,0,1,3\n", "expected replica from 0 to 2, found \"3\""),
        (
            "trial,tensor,index,bit,replica\n0,fc1.bias,0,1,\n0,fc1.bias,0,1,0\n",
            "bit 1 of word 0 again",
        ),
        ("trial,tensor,index,bit\n1.5,fc1.bias,0,1\n", "expected a whole number as trial"),
        (
            "trial,tensor,index,bit\n1,fc1.bias,0,1\n2,fc1.bias,0,1\n1,fc1.bias,0,2\n",
            "faults.csv:4: expected the rows of trial 1 one after another",
        ),
        (
            "trial,tensor,index,bit\n1,fc1.bias,0,1\n1,fc1.bias,0,1\n",
            "faults.csv:3: expected distinct bits in trial 1 (two flips of a bit cancel), found bit \
             1 of word 0 again",
        ),
        (
            "trial,tensor,index,mask,kind\n1,fc1.bias,0,0x6,\n1,fc1.bias,1,0x6,\n\
             1,fc1.bias,0,0xc,stuck-at-1\n",
            "faults.csv:4: expected distinct bits in trial 1 (two flips of a bit cancel), found bit \
             2 of word 0 again",
        ),
        (
            "trial,tensor,index,bit,replica\n0,fc1.bias,0,1,2\n0,fc1.bias,0,1,1\n\
             0,fc1.bias,0,1,2\n",
            "faults.csv:4: expected distinct bits in trial 0",
        ),
        (
            "trial,tensor,index,bit,outcome\n1,fc1.bias,0,1,sdc\n1,fc1.bias,0,2,masked\n",
            "faults.csv:3: expected the input and outcome of line 2, of the same trial, found others",
        ),
        (
            "layer,index,bit,input,original_hex\nfc1,0,1,0,00000000\n",
            "expected original_hex and faulty_hex of stored words and inputs only",
        ),
    ] {
        let found = refused(text);
        assert!(found.contains(message), "expected {message:?} in {found:?}");
    }
    let missing = read_list(Path::new("no/such.csv"), &mlp(&[8, 4], 1), 1);
    let missing = missing.expect_err("no such file").to_string();
    assert!(missing.starts_with("no/such.csv: cannot be read: "), "{missing}");
}

/// What other tools write: comments, row numbers, names in capitals, whole numbers as floats.
#[test]
fn lists_of_other_tools_are_read() {
    let plain = read("trial,tensor,index,bit,replica\n1,fc1.bias,2,3,0\n1,fc1.bias,2,4,\n");
    let plain = plain.expect("a plain list");
    for text in [
        "\u{feff}# by hand\n\"# of a spreadsheet, quoted\"\nTrial,TENSOR,Index,Bit,Replica\n\
         1,fc1.bias,2,3,0\n \t\n  # between\n1,fc1.bias,2,4,\n",
        ",trial,tensor,index,bit,replica\n0,1,fc1.bias,2,3,0.0\n1,1,fc1.bias,2,4,\n",
        "Unnamed: 0,trial,tensor,index,bit,replica\r\n0,1.0,fc1.bias,2.0,3.,0.00\r\n\
         1,1.0,fc1.bias,2.0,4.0,\r\n",
    ] {
        let mut trials = read(text).expect("a list of another tool");
        trials[0].line = plain[0].line;
        assert_eq!(trials, plain, "{text}");
    }
}

/// A workload of the repository.
fn shipped(name: &str) -> Workload {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels").join(name);
    crate::workload::load(&folder, &crate::workload::Overrides::default()).expect("a workload")
}

#[test]
fn an_element_is_named_by_its_place_along_each_axis() {
    let adder = shipped("qwen3-adder");
    let read = |text: &str| read_text(text.as_bytes(), Path::new("kv.csv"), &adder, 128);
    let refused = |text: &str| read(text).expect_err("a list to refuse").to_string();
    let by_axes = |layer: &str, cells: &str| {
        let text = format!("layer,part,prompt,head,position,dim,bit\n{layer},{cells}\n");
        read(&text).map(|trials| (trials[0].input, trials[0].faults[0]))
    };
    let cache = adder.op("layers.1.cache").expect("a cache");
    let value = &adder.values[adder.ops[cache].output.0];
    let (input, fault) = by_axes("1", "value,36,1,4,10,7").expect("an element");
    assert_eq!((input, fault.tensor as usize, fault.mask), (Some(36), cache, 1 << 7));
    let along = [("part", 1), ("head", 1), ("dimension", 10), ("position", 4)];
    assert_eq!(value.coordinates(fault.index), along);
    let by_name = by_axes("layers.1.cache", "1,36,1,4,10,7").expect("the same element");
    assert_eq!(by_name, (input, fault));
    let index = format!("layer,index,input,bit\nlayers.1.cache,{},36,7\n", fault.index);
    assert_eq!(read(&index).expect("the same element")[0].faults, [fault]);
    for (layer, cells, wanted) in [
        ("1", "value,36,9,4,10,7", "expected head below 2 in layers.1.cache, found \"9\""),
        ("1", "query,36,1,4,10,7", "expected part below 2 in layers.1.cache, found \"query\""),
        ("1", "key,36,1,4,,7", "expected dimension of layers.1.cache, which has part, head, "),
        ("7", "key,36,1,4,0,7", "expected a layer among "),
    ] {
        let error = by_axes(layer, cells).expect_err("a place to refuse").to_string();
        assert!(error.starts_with(&format!("kv.csv:2: {wanted}")), "{error}");
    }
    let both = "layer,index,part,head,dim,position,input,bit\nlayers.1.cache,0,key,0,0,0,0,1\n";
    assert!(refused(both).ends_with("a place along each axis, found both index and dimension"));
    let weight = "tensor,output,input_unit,input,bit\nmodel.layers.0.mlp.up_proj.weight,5,3,2,30\n";
    let weight = read(weight).expect("a weight");
    let width = adder.tensors[weight[0].faults[0].tensor as usize].shape[1];
    assert_eq!((weight[0].input, weight[0].faults[0].index as usize), (Some(2), 5 * width + 3));
    let other = "tensor,dim,position,index,bit\nmodel.embed_tokens.weight,0,,,1\n";
    assert!(
        refused(other)
            .contains("expected entry of model.embed_tokens.weight, which has entry, feature")
    );
}

#[test]
fn a_line_without_end_is_refused() {
    let long = format!("tensor,index,bit\nfc1.bias,0,{}\n", "1".repeat(70_000));
    let message = refused(&long);
    assert_eq!(message, "faults.csv:2: expected a line of at most 65536 bytes, found 70012 bytes");
}

/// 65,535 faults in one trial: searched pair by pair they would take minutes.
#[test]
fn a_crowded_trial_is_read_at_once() {
    let workload = mlp(&[64, 128, 64, 10], 5);
    let rows = (0..u32::from(u16::MAX)).map(|i| format!("0,fc1.weight,{},{}\n", i / 8, i % 8));
    let text = format!("trial,tensor,index,bit\n{}", rows.collect::<String>());
    let start = std::time::Instant::now();
    let trials = read_text(text.as_bytes(), Path::new("c.csv"), &workload, 5).expect("a list");
    assert_eq!(trials[0].faults.len(), usize::from(u16::MAX));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn a_faulty_word_must_be_what_the_fault_makes() {
    let golden = mlp(&[8, 6, 4], 5).tensors[1].words[2];
    let row = |faulty: u32| {
        format!(
            "tensor,index,bit,original_hex,faulty_hex\nfc1.bias,2,4,{golden:08x},{faulty:08x}\n"
        )
    };
    assert!(read(&row(golden ^ 16)).is_ok());
    assert!(refused(&row(golden)).contains("expected faulty_hex "));
}
