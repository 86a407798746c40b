//! Built with planted bugs, by `pinode-jepsen mutants` only: finds each of them, or fails.

use std::process::ExitCode;

use pinode_sim::Mutant;
use pinode_sim::mutants::{judge_of, look_for};

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    let wanted = |mutant: &&Mutant| only.as_ref().is_none_or(|only| format!("{mutant:?}") == *only);
    let mutants: Vec<&Mutant> = Mutant::ALL.iter().filter(wanted).collect();
    if mutants.is_empty() {
        let names: Vec<String> = Mutant::ALL.iter().map(|mutant| format!("{mutant:?}")).collect();
        eprintln!("there is no such mutant; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut caught = 0;
    for mutant in &mutants {
        match look_for(**mutant) {
            Ok(Some(found)) => {
                caught += 1;
                println!(
                    "{mutant:?}: caught by {} in seed {}: {}",
                    judge_of(**mutant),
                    found.seed,
                    found.sentence
                );
            }
            Ok(None) => println!("{mutant:?}: NOT caught by {}", judge_of(**mutant)),
            Err(error) => {
                eprintln!("{mutant:?}: the harness failed: {error:#}");
                return ExitCode::from(3);
            }
        }
    }
    println!("mutants={} caught={caught}", mutants.len());
    if caught == mutants.len() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
