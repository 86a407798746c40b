//! x
fn main() {
    let mut args = std::env::args().skip(1);
    let seed: u64 = args.next().unwrap().parse().unwrap();
    let secs: u64 = args.next().unwrap().parse().unwrap();
    let told = match args.next().as_deref() {
        Some("e") => pinode_sim::Told::Events,
        Some("f") => pinode_sim::Told::Frames,
        _ => pinode_sim::Told::Nothing,
    };
    let o = pinode_sim::run(&pinode_sim::Plan {
        seed,
        machines: 5,
        length: std::time::Duration::from_secs(secs),
        rates: pinode_sim::TRUE_RATES,
        scene: pinode_sim::Scene::EVERYTHING,
        told,
    })
    .unwrap();
    println!("{o:#?}");
}
