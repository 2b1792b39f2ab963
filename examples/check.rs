use beamline::{gpu::*, stage::CHECKS};
fn main(){ let gpu=Gpu::open(&AdapterChoice::Best).expect("gpu"); let n: u64 = std::env::args().nth(1).map_or(20,|s|s.parse().expect("n"));
 for (name, check) in CHECKS { let t=std::time::Instant::now(); let mut bad=None; let mut words=0; for seed in 0..n { let c=check(&gpu,seed).expect("gpu"); words+=c.words; if bad.is_none() { bad=c.mismatch.map(|m| (seed,m)); } }
 println!("{name:12} {words:9} words {:?} {:?}", t.elapsed(), bad); } }
