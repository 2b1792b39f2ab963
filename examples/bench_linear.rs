use beamline::gpu::*;
use std::time::Instant;
fn main(){
    let gpu = Gpu::open(&AdapterChoice::Best).expect("gpu");
    println!("{} {:?}", gpu.adapter().line(), gpu.adapter().arithmetic);
    let text: &'static str = Box::leak(std::fs::read_to_string(std::env::args().nth(1).expect("file")).expect("file").into_boxed_str());
    for (blocks, rows, k, o, g) in [(1u32,512u32,512u32,512u32,32.0),(1,512,512,512,8.0),(64,128,64,128,32.0),(64,128,64,128,8.0),(64,128,128,64,32.0),(64,128,64,10,32.0),(512,16,512,80,4.0),(512,16,512,80,8.0),(512,16,512,80,32.0),(2048,4,64,128,1.0),(2048,4,64,128,8.0)] {
        let kernel = Kernel::new(&gpu, Source{name:"linear", text}, "main", &[("GROUP", g)]).expect("kernel");
        let quads = rows/4;
        let x: Buffer<u32> = gpu.upload("x", &vec![1.0f32.to_bits(); (blocks*rows*k) as usize]);
        let wstride = k*o+o;
        let w: Buffer<u32> = gpu.upload("w", &vec![0.5f32.to_bits(); (blocks*wstride) as usize]);
        let y: Buffer<u32> = gpu.zeroed("y", (blocks*rows*o) as usize);
        let slots: Buffer<u32> = gpu.upload("s", &(0..blocks).collect::<Vec<_>>());
        let p = gpu.uniform("p", &[quads,k,o,1,0,k*quads,0,wstride,k*o,0,0,0u32]);
        let reps=3;
        let mut best=f64::MAX;
        for _ in 0..5 {
            let t=Instant::now();
            gpu.submit(|pass| for _ in 0..reps { kernel.dispatch(pass,[&p,&x,&slots,&w,&slots,&y],[quads.div_ceil(g as u32), o.div_ceil(8), blocks]); }).expect("s");
            gpu.wait().expect("w");
            best=best.min(t.elapsed().as_secs_f64()/reps as f64);
        }
        let flop = 2.0*blocks as f64*rows as f64*k as f64*o as f64;
        println!("b{blocks} r{rows} k{k} o{o} g{g}: {:.2} GFLOP/s {:.2} ms", flop/best/1e9, best*1e3);
    }
}
