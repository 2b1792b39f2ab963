use beamline::{engine::{*, direct::Direct}, gpu::*, workload, fault::*, scheme::*};
use std::{sync::Arc, time::Instant};
fn main(){
  let gpu = Arc::new(Gpu::open(&AdapterChoice::Best).expect("gpu"));
  for (name, rows, n) in [("digits-mlp",128u32,2000u64),("digits-cnn",16,400),("digits-cnn",128,200),("digits-mlp",1,20000)] {
  let w = Arc::new(workload::load(std::path::Path::new(&format!("kernels/{name}")), &Default::default()).expect("w"));
  let windows = Windows::new(rows, (0..rows).collect());
  let t=Instant::now();
  let mut e = Direct::tuned(&gpu,&w,&windows,3).expect("e");
  println!("{name} {rows}: lanes {} bytes {} MiB tuned {:?}", e.lanes(), e.bytes()>>20, t.elapsed());
  if let Some(x)=&w.expected { let l=e.layout(); let of=w.output_features() as usize; let mut worst=0f32; for r in 0..rows as usize { for f in 0..of { let g=f32::from_bits(e.golden_outputs()[f*l.rows as usize+r]); worst=worst.max((g-x.outputs[r*of+f]).abs()); } } println!("max logit diff {worst:e}"); }
  for p in Protection::ALL { let s=Scheme{name:"".into(),protection:p,scrub:None,guard:None,on_due:OnDue::Keep};
   let jobs: Vec<Job> = (0..n).map(|trial| Job{trial,first_window:0,faults:vec![Fault{step:0,time_s:0.,region:Region::Weights,tensor:0,index:(trial*7%100) as u32,row:0,kind:FaultKind::Xor,mask:1<<(trial%32),place:Place::Share(0.5)}]}).collect();
   let t=Instant::now(); e.run(&s, Course{first_step:0,end_step:1,conditional:true}, &jobs).expect("run"); let d=t.elapsed(); println!("  {:12} {:.0} trials/s", p.name(), n as f64/d.as_secs_f64()); } }
}
