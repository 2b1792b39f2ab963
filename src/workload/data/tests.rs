//! Tests of data files: what reads, what is refused and how, and that no damage makes a panic.

use super::*;
use proptest::prelude::*;

fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let length = header.len().to_le_bytes();
    bytes.extend(&length[..if version == 1 { 2 } else { 4 }]);
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}   \n")
}

fn read_as(bytes: &[u8], wanted: Wanted) -> Result<Elements, String> {
    let array = npy::parse(bytes).and_then(|array| array.read(wanted));
    array.map_err(|mismatch| format!("expected {}, found {}", mismatch.expected, mismatch.found))
}

#[test]
fn npy_of_every_version_reads() {
    for version in [1, 2, 3] {
        let data = [0, 0, 0xc0, 0x7f, 1, 0, 0, 0];
        let file = npy(version, &header("'<f4'", "False", "(2,)"), &data);
        assert_eq!(read_as(&file, Wanted::Floats), Ok((vec![2], vec![0x7fc0_0000, 1])));
    }
    let scalar = npy(1, &header("'<f4'", "False", "()"), &[3, 0, 0, 0]);
    assert_eq!(read_as(&scalar, Wanted::Floats), Ok((vec![], vec![3])));
    let column = npy(1, &header("'<f4'", "True", "(1, 2)"), &[3, 0, 0, 0, 4, 0, 0, 0]);
    assert_eq!(read_as(&column, Wanted::Floats), Ok((vec![1, 2], vec![3, 4])), "one order only");
}

#[test]
fn labels_of_every_width_read() {
    for (descr, data) in [
        ("'<i8'", [7_i64, 255].map(i64::to_le_bytes).concat()),
        ("'<u8'", [7_u64, 255].map(u64::to_le_bytes).concat()),
        ("'<i4'", [7_i32, 255].map(i32::to_le_bytes).concat()),
        ("'<u4'", [7_u32, 255].map(u32::to_le_bytes).concat()),
        ("'<i2'", [7_i16, 255].map(i16::to_le_bytes).concat()),
        ("'<u2'", [7_u16, 255].map(u16::to_le_bytes).concat()),
        ("'|u1'", vec![7, 255]),
    ] {
        let file = npy(1, &header(descr, "False", "(2,)"), &data);
        assert_eq!(
            read_as(&file, Wanted::Whole("labels", Type::U32)),
            Ok((vec![2], vec![7, 255])),
            "{descr}"
        );
    }
    for (descr, data, message) in [
        ("'|i1'", vec![7, 255], "expected labels from 0 to 4294967295, found -1"),
        ("'<i8'", [0, -9_i64].map(i64::to_le_bytes).concat(), "found -9"),
        ("'<u8'", [0, u64::MAX].map(u64::to_le_bytes).concat(), "found 18446744073709551615"),
        ("'<f8'", vec![0; 16], "expected labels of whole numbers, such as I64 (<i8), found <f8"),
        ("'|b1'", vec![0, 1], "found |b1"),
        ("'>i2'", vec![0; 4], "found >i2"),
    ] {
        let found = read_as(
            &npy(1, &header(descr, "False", "(2,)"), &data),
            Wanted::Whole("labels", Type::U32),
        );
        let found = found.expect_err("labels to refuse");
        assert!(found.contains(message), "{found}\ndoes not say: {message}");
    }
}

#[test]
fn npy_that_cannot_be_used_says_what_it_found() {
    let good = npy(1, &header("'<f4'", "False", "(1, 2)"), &[0; 8]);
    assert!(read_as(&good, Wanted::Floats).is_ok());
    let plain = |descr: &str| npy(1, &header(descr, "False", "(0,)"), &[]);
    for (bytes, message) in [
        (good[..good.len() - 1].to_vec(), "8 bytes of elements for shape (1, 2), found 7 bytes"),
        ([&good[..], &[0]].concat(), "8 bytes of elements for shape (1, 2), found 9 bytes"),
        (good[..40].to_vec(), "expected a whole .npy file, found 40 bytes"),
        (good[..7].to_vec(), "expected a whole .npy file, found 7 bytes"),
        (b"PK".to_vec(), "expected a .npy file, found an archive (.npz)"),
        (b"\x80\x04\x95".to_vec(), "found a Python pickle, which may run code"),
        (b"abc".to_vec(), "expected a .npy file, found no NUMPY magic"),
        (npy(4, "", &[]), "expected .npy version 1, 2 or 3, found version 4"),
        (plain("'>f4'"), "expected elements of F32 (<f4), found >f4"),
        (plain("'<f2'"), "expected elements of F32 (<f4), found <f2"),
        (plain("'<f8'"), "expected elements of F32 (<f4), found <f8"),
        (plain("'|O'"), "found |O, Python objects, which need pickle and may run code"),
        (plain("'<U5'"), "expected elements of one plain type, found <U5"),
        (plain("'<M8[ns]'"), "expected elements of one plain type, found <M8[ns]"),
        (plain("''"), "expected elements of one plain type, found "),
        (plain("[('a', '<f4')]"), "found a structured type: save one of its fields"),
        (
            npy(1, &header("'<f4'", "True", "(2, 2)"), &[0; 16]),
            "expected elements of F32 (<f4), found <f4 in column-major (Fortran) order",
        ),
        (npy(1, &header("'<f4'", "No", "(0,)"), &[]), "expected 'fortran_order' of True or False"),
        (npy(1, &header("'<f4'", "False", "(-1,)"), &[]), "a shape of whole numbers, found (-1,)"),
        (npy(1, "{'descr': '<f4'}", &[]), "a .npy header with 'fortran_order'"),
        (npy(2, &" ".repeat(65_537), &[]), "at most 65536 bytes, found 65537"),
        (
            npy(1, &header("'<f4'", "False", "(9999999999, 9999999999)"), &[]),
            "a shape that fits this machine",
        ),
        (
            npy(1, &header("'<f4'", "False", "(1000000, 1000000)"), &[0; 4]),
            "4000000000000 bytes of elements for shape (1000000, 1000000), found 4 bytes",
        ),
        (
            npy(1, &header("'<f18446744073709551615'", "False", "(2,)"), &[0; 4]),
            "a shape that fits this machine",
        ),
    ] {
        let found = read_as(&bytes, Wanted::Floats).expect_err("a file to refuse");
        assert!(found.contains(message), "{found}\ndoes not say: {message}");
    }
}

/// The refusal of a type or an order ends with a line for a shell.
#[test]
fn a_refused_array_comes_with_the_line_that_converts_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("it's x.npy");
    let end = |wanted: Wanted, bytes: Vec<u8>| {
        std::fs::write(&path, bytes).expect("a new file");
        read_array(&path, None, wanted).expect_err("a file to refuse").to_string()
    };
    let line = |dtype: &str, new: &str| {
        let place = folder.path().display();
        format!(
            "; convert it and name the new file: python3 -c 'import sys, numpy; \
             numpy.save(sys.argv[2], numpy.load(sys.argv[1]).astype(\"{dtype}\", order=\"C\"))' \
             '{place}/it'\\''s x.npy' '{place}/it'\\''s x.{new}.npy'"
        )
    };
    let double = npy(1, &header("'<f8'", "False", "(1,)"), &[0; 8]);
    let found = end(Wanted::Floats, double.clone());
    assert!(found.ends_with(&line("<f4", "f32")), "{found}");
    let found = end(Wanted::Whole("labels", Type::U32), double);
    assert!(found.ends_with(&line("<i8", "i64")), "{found}");
    let found = end(Wanted::Floats, npy(1, &header("'<f4'", "True", "(2, 2)"), &[0; 16]));
    assert!(found.ends_with(&line("<f4", "f32")), "{found}");
    for none in ["'|O'", "'|S4'", "'<c8'"] {
        let found = end(Wanted::Floats, npy(1, &header(none, "False", "(0,)"), &[]));
        assert!(!found.contains("python3"), "{found}");
    }
    assert_eq!(quoted(Path::new("a/b-1.npy")), "a/b-1.npy");
    assert_eq!(quoted(Path::new("-a.npy")), "'./-a.npy'");
}

proptest! {
    #[test]
    fn a_damaged_npy_never_panics(at in 0_usize..90, byte: u8, cut in 0_usize..100) {
        let mut bytes = npy(1, &header("'<f4'", "False", "(1, 2)"), &[0; 8]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len().saturating_sub(cut % 8));
        let _ = read_as(&bytes, Wanted::Floats);
        let _ = read_as(&bytes, Wanted::Whole("labels", Type::U32));
    }
}

#[test]
fn generated_words_are_uniform_and_named_by_seed_and_key() {
    let words = generate(1, 0, 2.0, 4096);
    let values: Vec<f32> = words.iter().map(|word| f32::from_bits(*word)).collect();
    assert!(values.iter().all(|value| (-2.0..2.0).contains(value)));
    let mean = values.iter().sum::<f32>() / 4096.0;
    assert!(mean.abs() < 0.1, "the mean of 4096 draws of variance 4/3 is {mean}");
    assert_eq!(words, generate(1, 0, 2.0, 4096));
    assert_ne!(words, generate(1, 1, 2.0, 4096));
    assert_ne!(words, generate(2, 0, 2.0, 4096));
}

#[test]
fn floats_that_are_written_are_read_again() {
    let words = [0x7fc0_0001, 1f32.to_bits(), 0x8000_0000, 3, 4, 5];
    let bytes = npy_of_floats(&[2, 3], &words);
    assert_eq!(bytes.len() % 64, 24, "data begins at a multiple of 64 bytes");
    assert_eq!(read_as(&bytes, Wanted::Floats), Ok((vec![2, 3], words.to_vec())));
    assert_eq!(read_as(&npy_of_floats(&[1], &words[..1]), Wanted::Floats).expect("one").0, [1]);
}
