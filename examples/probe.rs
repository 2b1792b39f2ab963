use beamline::environment::{epoch::*, field::*, orbit::*, table::*, trapped::*};
fn main() {
    for (name, a, i) in [
        ("530/53", 530.0, 53.0),
        ("650sso", 650.0, 97.99),
        ("800/90", 800.0, 90.0),
        ("iss", 420.0, 51.6),
    ] {
        let track = Orbit::circular(a, i).unwrap().track(Epoch::default(), 10.0, 60.0).unwrap();
        for ph in Phase::ALL {
            let t = std::time::Instant::now();
            let mut table = ShellTable::new(ph.field(), track[0].radius_km, track[0].radius_km);
            let es = [10.0, 30.0, 50.0, 100.0, 200.0];
            let mut sum = [0.0; 5];
            let mut above = 0;
            let mut worst: (f64, f64) = (0.0, 0.0);
            let mut direct = 0.0;
            let mut tab = 0.0;
            for (k, p) in track.iter().enumerate() {
                let s = table.shell(p);
                let sp = ph.map().spectrum(Interpolation::PhiL, s);
                if let Some(sp) = sp {
                    for (s, e) in sum.iter_mut().zip(es) {
                        *s += sp.flux(e);
                    }
                    if sp.flux(10.0) > 1.0 {
                        above += 1;
                    }
                }
                if k % 16 == 7 && ph == Phase::Min {
                    let d = ph.field().shell(cartesian(p));
                    if d.l < 7.0 {
                        worst.0 = worst.0.max((d.l / s.l - 1.0).abs());
                        worst.1 = worst.1.max((d.b_over_b0 / s.b_over_b0 - 1.0).abs());
                    }
                    direct += flux(ph, Interpolation::PhiL, d, 10.0);
                    tab += flux(ph, Interpolation::PhiL, s, 10.0);
                }
            }
            println!(
                "{name} {ph:?} {:.3?} {:.4} {:?} worst {worst:?} direct/tab {}",
                sum.map(|x| x / track.len() as f64),
                above as f64 / track.len() as f64,
                t.elapsed(),
                direct / tab
            );
        }
    }
    let f = Field::at(1960.0);
    let t = std::time::Instant::now();
    let mut acc = 0.0;
    for k in 0..2000 {
        let p = Position {
            time_s: 0.0,
            latitude_deg: -80.0 + 0.08 * k as f64,
            longitude_deg: 37.0 * k as f64,
            radius_km: 7021.2,
        };
        let l = f.shell(cartesian(&p)).l;
        if l.is_finite() {
            acc += l;
        }
    }
    println!("trace {:?} each {acc}", t.elapsed() / 2000);
    let t = std::time::Instant::now();
    for k in 0..200000 {
        acc += f.magnitude([1.1, 0.1 + k as f64 * 1e-6, 0.2]);
    }
    println!("field {:?} each {acc}", t.elapsed() / 200000);
}
