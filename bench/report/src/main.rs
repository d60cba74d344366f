//! bench_report DIR: writes DIR/results.md and DIR/plots/*.svg from the folders of DIR that
//! `bench/run` left, one for each hypervisor.

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};

mod claims;
mod data;
mod names;
mod plot;
mod table;

fn run(results: PathBuf) -> Result<(), Box<dyn Error>> {
    let all = data::read_all(&results)?;
    if all.is_empty() {
        return Err(format!("nothing was measured in {}", results.display()).into());
    }
    let plots = results.join("plots");
    fs::create_dir_all(&plots)?;
    for h in &all {
        plot::plots(h, &plots)?;
        println!("{}:", h.title());
        for claim in claims::claims(h) {
            println!(
                "  {}: {}: {}",
                claim.verdict.text().replace('*', ""),
                claim.promise,
                claim.measured
            );
        }
    }
    let table = results.join("results.md");
    fs::write(&table, table::results(&all))?;
    println!("All of it is in {} and {}.", table.display(), plots.display());
    Ok(())
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(results), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: bench_report DIR");
        return ExitCode::from(2);
    };
    match run(results.into()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench_report: {error}");
            ExitCode::FAILURE
        }
    }
}
