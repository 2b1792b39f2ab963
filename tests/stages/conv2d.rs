use super::{holds, support};
use beamline::stage::conv2d::{self, Conv2d};
use beamline::stage::stored::Stored;

#[test]
fn the_shader_equals_its_reference() {
    holds(conv2d::check);
}

#[test]
fn padding_is_skipped_so_that_an_infinite_weight_at_the_border_does_no_harm() {
    let params = conv2d::Conv2dParams {
        quads: 1,
        channels: 1,
        height: 1,
        width: 1,
        outputs: 1,
        size: 3 << 16 | 3,
        stride: 1,
        padding: 1,
        out_height: 1,
        out_width: 1,
        has_bias: 0,
        x_base: 0,
        x_stride: 1,
        w_base: 0,
        w_stride: 9,
        b_base: 0,
        stored: Stored::default(),
        pad: 0,
    };
    let mut w = [f32::INFINITY.to_bits(); 9];
    w[4] = 3f32.to_bits();
    let x = [1f32, 2.0, 3.0, 4.0].map(f32::to_bits);
    let y =
        conv2d::reference(&params, beamline::gpu::Arithmetic::default(), (&x, &[0]), (&w, &[0]));
    let y: Vec<f32> = y.into_iter().map(f32::from_bits).collect();
    assert_eq!(y, [3.0, 6.0, 9.0, 12.0]);
}

#[test]
fn more_pixels_than_one_dimension_of_the_grid() {
    const SIDE: u32 = 1460;
    let pixels = SIDE * SIDE;
    assert!(pixels.div_ceil(32) > 65_535);
    let params = conv2d::Conv2dParams {
        quads: 1,
        channels: 1,
        height: SIDE,
        width: SIDE,
        outputs: 1,
        size: 1 << 16 | 1,
        stride: 1,
        padding: 0,
        out_height: SIDE,
        out_width: SIDE,
        has_bias: 0,
        x_base: 0,
        x_stride: pixels,
        w_base: 0,
        w_stride: 1,
        b_base: 0,
        stored: Stored::default(),
        pad: 0,
    };
    let x: Vec<u32> = (0..4 * pixels).map(|at| (at as f32).to_bits()).collect();
    let gpu = support::gpu();
    let stage = Conv2d::new(&gpu).expect("the shader compiles");
    let uniform = gpu.uniform("params", &params);
    let (xb, wb) = (gpu.upload("x", &x), gpu.upload("w", &[0.5f32.to_bits()]));
    let (slots, y) = (gpu.upload("slots", &[0u32]), gpu.zeroed("y", x.len()));
    gpu.submit(|pass| {
        stage.encode(pass, (&params, &uniform), (&xb, &slots), (&wb, &slots), &y, 1);
    })
    .expect("the GPU works");
    let y = gpu.read(&y).expect("the GPU works");
    assert!(x.iter().zip(&y).all(|(x, y)| f32::from_bits(*x) * 0.5 == f32::from_bits(*y)));
}
