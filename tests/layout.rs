//! Shaders without a GPU: every file composes, parses and validates, and every parameter struct
//! has the size and the offsets of its twin in Rust.

use beamline::gpu::{Source, compose, library_names};
use beamline::op::OPS;
use beamline::stage::{
    checksum::ChecksumParams, classify::ClassifyParams, decode::BlockParams, decode::DecodeParams,
    differing::DifferingParams, findings::FindingsParams, inject::InjectParams, inject::Strike,
    load::LoadParams, op, output_vote::OutputVoteParams, span::SpanParams, spread::SpreadParams,
    tally::TallyParams, vote::VoteParams,
};
use std::collections::BTreeSet;
use std::mem::offset_of;
use wgpu::naga::{self, Module, TypeInner};

fn parsed(source: Source) -> Module {
    let text = compose(source).expect("every import exists");
    naga::front::wgsl::parse_str(&text).unwrap_or_else(|e| panic!("{}: {e}", source.name))
}

#[test]
fn every_shader_validates_and_has_its_entry() {
    use naga::valid::{Capabilities, ValidationFlags, Validator};
    for source in Source::all() {
        let module = parsed(*source);
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
        validator.validate(&module).unwrap_or_else(|e| panic!("{}: {e}", source.name));
        let entries: Vec<&str> = module.entry_points.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(entries, ["main"], "{}", source.name);
        let bindings: Vec<u32> = module
            .global_variables
            .iter()
            .filter_map(|(_, v)| v.binding.as_ref())
            .map(|b| {
                assert_eq!(b.group, 0, "{}", source.name);
                b.binding
            })
            .collect();
        let count = u32::try_from(bindings.len()).expect("a few bindings");
        let distinct: BTreeSet<u32> = bindings.into_iter().collect();
        assert!(distinct.into_iter().eq(0..count), "{}: bindings are not 0, 1, 2, …", source.name);
    }
}

#[test]
fn every_library_file_is_used() {
    for name in library_names() {
        let import = format!("#import {name}\n");
        let composed = |source: &Source| compose(*source).expect("every import exists");
        let used = Source::all().iter().any(|source| composed(source).contains(&import));
        assert!(used, "shaders/lib/{name}.wgsl is imported by no shader");
    }
}

/// (shader, struct, size, (member, offset)…) as Rust has it.
macro_rules! twin {
    ($shader:literal, $type:ident: $($member:ident),* $(,)?) => {
        ($shader, stringify!($type), size_of::<$type>(),
         vec![$((stringify!($member), offset_of!($type, $member))),*])
    };
    // Members of a struct that Rust holds as the first member, and WGSL one by one.
    ($shader:literal, $type:ident: $first:ident: [$($inner:ident),*], $($member:ident),* $(,)?) => {
        ($shader, stringify!($type), size_of::<$type>(),
         vec![$((stringify!($inner), offset_of!($type, $first.$inner)),)*
              $((stringify!($member), offset_of!($type, $member))),*])
    };
}

#[test]
fn every_struct_has_the_layout_of_its_twin() {
    let twins = [
        twin!("checksum", ChecksumParams: words, stride, slots, chunks),
        twin!("classify", ClassifyParams: rows, features, lanes, guard, rule),
        twin!("crc32", BlockParams: words, stride, slots, data_base, check_base, repair, deliver),
        twin!("decode_symbols", BlockParams: words, stride, slots, data_base, check_base, repair,
              deliver),
        twin!("decode", DecodeParams: at: [words, stride, slots, data_base, check_base, repair,
              deliver], block_words, syndrome_bits, agree, actions_base),
        twin!("differing", DifferingParams: rows, counted, cells, features, slots),
        twin!("findings", FindingsParams: lanes, copies, rows, on_uncorrectable),
        twin!("inject", InjectParams: words, stride, trap_words),
        twin!("inject", Strike: slot, word, keep, flip),
        twin!("load", LoadParams: quads, src_base, src_stride, dst_base, dst_stride),
        twin!("output_vote", OutputVoteParams: rows, features, blocks, executions, rule, retry, voter),
        twin!("span", SpanParams: words),
        twin!("spread", SpreadParams: quads, features, rows, cells, first, count, begin),
        twin!("tally", TallyParams: rows, counted, lanes, words),
        twin!("vote", VoteParams: quads, stride, lanes, repair, input_base, row_quads, word,
              check_base),
    ];
    let mut held = BTreeSet::new();
    for (shader, name, size, members) in twins {
        let module = parsed(Source::named(shader));
        let found = module.types.iter().find(|(_, t)| t.name.as_deref() == Some(name));
        let (_, found) = found.unwrap_or_else(|| panic!("{shader}.wgsl has no struct {name}"));
        let TypeInner::Struct { members: theirs, span } = &found.inner else {
            panic!("{shader}.wgsl: {name} is no struct")
        };
        assert_eq!(*span as usize, size, "{shader}.wgsl: the size of {name}");
        for (member, offset) in &members {
            let their = theirs.iter().find(|m| m.name.as_deref() == Some(member));
            let their = their.unwrap_or_else(|| panic!("{shader}.wgsl: {name} has no {member}"));
            assert_eq!(their.offset as usize, *offset, "{shader}.wgsl: {name}.{member}");
        }
        let padding =
            |m: &str| m.starts_with("pad") || m == "zero" || members.iter().any(|(n, _)| *n == m);
        for their in theirs {
            let name_of = their.name.as_deref().unwrap_or_default();
            assert!(padding(name_of), "{shader}.wgsl: {name}.{name_of} has no twin");
        }
        held.insert((shader, name));
    }
    let specs = OPS.iter().flat_map(|kind| op::specs(*kind));
    let of_ops: BTreeSet<&str> = specs.map(|spec| spec.shader).collect();
    for source in Source::all() {
        for (_, found) in parsed(*source).types.iter() {
            if let (Some(name), TypeInner::Struct { .. }) = (&found.name, &found.inner) {
                let known = [
                    "Block",
                    "Decision",
                    "DecisionRule",
                    "DecisionSearch",
                    "DecisionTokens",
                    "Tile",
                    "TileWeights",
                ]
                .contains(&name.as_str())
                    || of_ops.contains(source.name)
                    || held.contains(&(source.name, name.as_str()));
                assert!(known, "{}.wgsl: struct {name} is held to no twin", source.name);
            }
        }
    }
}

/// An op names the members of its shader's parameters in order, all words, and binds what the shader binds.
#[test]
fn every_op_fills_the_parameters_of_its_shader() {
    let computing = OPS.iter().filter(|kind| !kind.is_view());
    for (kind, spec) in
        computing.flat_map(|kind| op::specs(*kind).into_iter().map(move |spec| (kind, spec)))
    {
        let module = parsed(Source::named(spec.shader));
        let params = module.global_variables.iter().find(|(_, global)| {
            global.binding.as_ref().is_some_and(|binding| binding.binding == 0)
        });
        let (_, params) = params.expect("parameters");
        let TypeInner::Struct { members, span } = &module.types[params.ty].inner else {
            panic!("{kind:?}: parameters that are no struct")
        };
        let theirs: Vec<&str> = members.iter().filter_map(|m| m.name.as_deref()).collect();
        let ours: Vec<&str> = spec.params.iter().map(|(name, _)| *name).collect();
        assert_eq!(ours, theirs, "{kind:?}");
        assert_eq!(*span as usize, 4 * ours.len(), "{kind:?}");
        let bound = module.global_variables.iter().filter(|(_, global)| global.binding.is_some());
        assert_eq!(bound.count(), 1 + spec.bindings.len(), "{kind:?}");
    }
}
