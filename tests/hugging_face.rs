//! Hugging Face folders: against transformers, weights of 16 bits against the same of 32, and folders that
//! are refused.

mod support;

use beamline::engine::direct::Kernels;
use beamline::engine::wavefront::Wavefront;
use beamline::engine::{Layout, Windows};
use beamline::workload::import::{Reading, load};
use beamline::workload::{Decision, Overrides, Workload, read_npy};
use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use support::gpu;

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hugging_face/qwen3-tiny")
}

fn read(folder: &Path, input: &str, new_tokens: Option<usize>) -> Workload {
    let input = Some(tiny().join(input));
    let reading = Reading { input, new_tokens, ..Reading::default() };
    load(folder, &reading, &Overrides::default()).expect("a workload")
}

/// Golden outputs, `[input, feature]`.
fn outputs(workload: Workload) -> Vec<u32> {
    let count = u32::try_from(workload.inputs.count).expect("few inputs");
    let (features, workload) = (workload.output_features() as usize, Arc::new(workload));
    let windows = Windows::new(count, (0..count).collect());
    let rows = Layout::new(&workload, &windows).rows as usize;
    let kernels = Arc::new(Kernels::new(&gpu()).expect("kernels"));
    let engine = Wavefront::new(kernels, gpu(), workload, windows, 1).expect("an engine");
    let golden = engine.golden_outputs();
    let word = |input: usize, feature: usize| golden[feature * rows + input];
    let inputs = 0..count as usize;
    inputs
        .flat_map(|input| (0..features).map(move |f| (input, f)))
        .map(|(i, f)| word(i, f))
        .collect()
}

/// Words of a `.npy` file of floats.
fn floats(name: &str) -> Vec<f32> {
    let (_, words) = read_npy(&tiny().join(name)).expect("floats");
    words.into_iter().map(f32::from_bits).collect()
}

#[test]
fn logits_are_those_of_transformers() {
    let workload = read(&tiny(), "ids.npy", None);
    let [vocabulary, positions] = workload.values[workload.output.0].shape[..] else {
        panic!("(vocabulary, positions)");
    };
    let expected = floats("logits.npy");
    let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    for (at, word) in outputs(workload).into_iter().enumerate() {
        let (input, feature) = (at / (vocabulary * positions), at % (vocabulary * positions));
        let (token, position) = (feature / positions, feature % positions);
        let wanted = expected[(input * positions + position) * vocabulary + token];
        let difference = (f32::from_bits(word) - wanted).abs();
        assert!(difference <= 1e-4 * largest, "input {input}, token {token} at {position}");
    }
}

/// The tiny folder with its tensors as another type, and the same rounded to it and kept as F32.
fn narrowed(dtype: Dtype) -> [tempfile::TempDir; 2] {
    let bytes = fs::read(tiny().join("model.safetensors")).expect("tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let folder = |wide: bool| {
        let folder = tempfile::tempdir().expect("a folder");
        let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, view)| {
                let floats = view.data().chunks_exact(4);
                let floats =
                    floats.map(|four| f32::from_le_bytes(four.try_into().expect("four bytes")));
                let bytes = floats.flat_map(|value| {
                    let (half, back) = match dtype {
                        Dtype::F16 => {
                            (f16::from_f32(value).to_bits(), f16::from_f32(value).to_f32())
                        }
                        _ => (bf16::from_f32(value).to_bits(), bf16::from_f32(value).to_f32()),
                    };
                    if wide { back.to_le_bytes().to_vec() } else { half.to_le_bytes().to_vec() }
                });
                (name.to_owned(), view.shape().to_vec(), bytes.collect())
            })
            .collect();
        let dtype = if wide { Dtype::F32 } else { dtype };
        let views = data.iter().map(|(name, shape, bytes)| {
            (name.clone(), TensorView::new(dtype, shape.clone(), bytes).expect("a view"))
        });
        let file = safetensors::serialize(views, None).expect("a file");
        fs::write(folder.path().join("model.safetensors"), file).expect("written");
        fs::copy(tiny().join("config.json"), folder.path().join("config.json")).expect("a copy");
        folder
    };
    [folder(false), folder(true)]
}

#[test]
fn weights_of_16_bits_compute_as_the_same_numbers_of_32() {
    for dtype in [Dtype::F16, Dtype::BF16] {
        let [half, wide] = narrowed(dtype);
        let workload = read(half.path(), "ids.npy", None);
        let stored = workload.stored_words();
        let of_wide = read(wide.path(), "ids.npy", None);
        assert_eq!(2 * stored, of_wide.stored_words(), "{dtype}");
        assert!(outputs(workload) == outputs(of_wide), "{dtype}: bits differ");
    }
}

#[test]
fn a_folder_in_several_files_is_read_as_in_one() {
    let whole = read(&tiny(), "ids.npy", None);
    let bytes = fs::read(tiny().join("model.safetensors")).expect("tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(tiny().join("config.json"), folder.path().join("config.json")).expect("a copy");
    let mut map = serde_json::Map::new();
    for part in 0..2 {
        let name = format!("model-{part}.safetensors");
        let of_part = |name: &str| usize::from(name.len().is_multiple_of(2)) == part;
        let views = tensors.iter().filter(|(name, _)| of_part(name));
        let views: Vec<(String, TensorView<'_>)> =
            views.map(|(name, view)| (name.to_owned(), view)).collect();
        map.extend(views.iter().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
        let file = safetensors::serialize(views, None).expect("a file");
        fs::write(folder.path().join(name), file).expect("written");
    }
    let index = serde_json::json!({ "weight_map": map }).to_string();
    fs::write(folder.path().join("model.safetensors.index.json"), index).expect("written");
    assert_eq!(read(folder.path(), "ids.npy", None).tensors, whole.tensors);
}

/// What is wrong with the tiny folder after a change: its JSON, its tensors or its files.
fn refused(change: impl FnOnce(&Path, &mut serde_json::Value)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(tiny().join(file), path.join(file)).expect("a copy");
    }
    let text = fs::read_to_string(path.join("config.json")).expect("JSON");
    let mut config = serde_json::from_str(&text).expect("JSON");
    change(path, &mut config);
    fs::write(path.join("config.json"), config.to_string()).expect("written");
    let input = Some(tiny().join("ids.npy"));
    let reading = Reading { input, ..Reading::default() };
    let error = load(path, &reading, &Overrides::default()).expect_err("refused").to_string();
    error.replace(&path.display().to_string(), "FOLDER")
}

#[test]
fn what_is_not_supported_or_wrong_is_refused_with_its_file_and_name() {
    let said = refused(|_, config| config["model_type"] = "gemma3".into());
    assert_eq!(
        said,
        "FOLDER/config.json: expected a `model_type` among llama, qwen2, qwen3, found \"gemma3\""
    );
    let said = refused(|_, config| config["hidden_size"] = 128.into());
    assert_eq!(
        said,
        "FOLDER/model.safetensors: expected `model.embed_tokens.weight` of shape (256, 128), as config.json \
         says, found (256, 64)"
    );
    let said = refused(|_, config| config["num_hidden_layers"] = 3.into());
    assert_eq!(
        said,
        "FOLDER: expected a tensor `model.layers.2.input_layernorm.weight`, found none"
    );
    let said = refused(|_, config| config["num_hidden_layers"] = 4_000_000_000u32.into());
    assert_eq!(
        said,
        "FOLDER/config.json: expected `num_hidden_layers` from 1 to 2²⁴, found 4000000000"
    );
    let said = refused(|_, config| config["tie_word_embeddings"] = false.into());
    assert_eq!(said, "FOLDER: expected a tensor `lm_head.weight`, found none");
    let said = refused(|_, config| config["max_position_embeddings"] = 32.into());
    assert!(said.contains("expected 1 to 32 tokens of each prompt and its answer"), "{said}");
    let said = refused(|path, _| {
        let bytes = fs::read(path.join("model.safetensors")).expect("bytes");
        fs::write(path.join("model.safetensors"), &bytes[..bytes.len() / 2]).expect("written");
    });
    assert!(said.contains("expected a safetensors file, found tensors of 361"), "{said}");
    let said = refused(|path, _| {
        let claim = br#"{"x":{"dtype":"F32","shape":[536870912],"data_offsets":[0,2147483648]}}"#;
        let length = (claim.len() as u64).to_le_bytes();
        fs::write(path.join("model.safetensors"), [&length[..], claim].concat()).expect("written");
    });
    assert!(said.contains("tensors of 2147483648 bytes, and 0 in the file"), "{said}");
    let said = refused(|path, _| {
        fs::remove_file(path.join("model.safetensors")).expect("removed");
        let index = r#"{"weight_map": {"model.norm.weight": "../elsewhere.safetensors"}}"#;
        fs::write(path.join("model.safetensors.index.json"), index).expect("written");
    });
    assert_eq!(
        said,
        "FOLDER/model.safetensors.index.json: expected names of files in the folder itself, found \
         \"../elsewhere.safetensors\""
    );
}

#[test]
fn an_answer_ends_with_any_token_that_the_folder_names() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(tiny().join("model.safetensors"), folder.path().join("model.safetensors"))
        .expect("a copy");
    let text = fs::read_to_string(tiny().join("config.json")).expect("JSON");
    let mut config: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut ends = |of_config: serde_json::Value, of_generation: Option<serde_json::Value>| {
        config["eos_token_id"] = of_config;
        fs::write(folder.path().join("config.json"), config.to_string()).expect("written");
        if let Some(end) = of_generation {
            let text = serde_json::json!({ "eos_token_id": end }).to_string();
            fs::write(folder.path().join("generation_config.json"), text).expect("written");
        }
        match read(folder.path(), "prompt.npy", Some(4)).decision {
            Decision::Tokens { ends, .. } => ends.tokens().collect::<Vec<u32>>(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ends(7.into(), None), [7]);
    assert_eq!(
        ends(serde_json::json!([100_000, 9, 7]), None),
        [7, 9],
        "one is past the vocabulary"
    );
    assert_eq!(ends(7.into(), Some(serde_json::json!([216, 5]))), [5, 216]);
}

/// Runs the program and gives what it says.
fn beamline(arguments: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_beamline");
    let output = Command::new(program)
        .args(arguments)
        .env("BEAMLINE_ADAPTER", support::adapter())
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn a_folder_is_imported_with_its_answers_and_a_struck_half_is_named_by_its_element() {
    let [half, _] = narrowed(Dtype::BF16);
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name).display().to_string();
    let prompt = tiny().join("prompt.npy").display().to_string();
    let model = half.path().display().to_string();
    beamline(&["import", &model, "-o", &path("tiny"), "--input", &prompt, "--new-tokens", "6"]);
    let said = beamline(&["infer", &path("tiny"), "--format", "json"]);
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["answers"], serde_json::json!([[216, 216, 216, 216, 216, 216]]));
    let list = "tensor,index,bit\nmodel.layers.1.mlp.gate_proj.weight,131,14\n";
    fs::write(home.path().join("list.csv"), list).expect("written");
    let campaign = "name = \"half\"\nseed = 1\n[workload]\nname = \"tiny\"\n[faults]\nmode = \"list\"\n\
                    file = \"list.csv\"\n[[scheme]]\nname = \"none\"\nprotection = \"none\"\n";
    fs::write(home.path().join("half.toml"), campaign).expect("written");
    beamline(&["run", &path("half.toml"), "--results", &path("results"), "--quiet"]);
    let archive = path("results/half");
    let rows = beamline(&["report", &archive, "--format", "csv", "--table", "events", "-o", "-"]);
    let row: Vec<&str> = rows.lines().nth(1).expect("a row").split(',').collect();
    assert_eq!(row[8..11], ["model.layers.1.mlp.gate_proj.weight", "131", "14"], "{rows}");
    assert_eq!(row[11], "0x00004000");
    let [list, workload] = [path("list.csv"), path("tiny")];
    let of = ["--list", &list, "--workload", &workload, "--trial", "0", "--scheme", "none"];
    let replayed = beamline(&[&["replay", &archive], &of[..]].concat());
    assert!(replayed.contains("gate_proj.weight[131] bit 14 (output 2, input 3)"), "{replayed}");
    let word = u32::from_str_radix(row[14].trim_start_matches("0x"), 16).expect("a word");
    assert!(replayed.contains(&format!("{word:#06x} -> {:#06x}", word ^ 1 << 14)), "{replayed}");
}
