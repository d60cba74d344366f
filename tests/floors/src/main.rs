//! `floors [ROOT]`: each floor of the library names only what it may, and unsafe code stands only
//! where it may. Prints what breaks a rule, with file, line and rule, and fails then.
//!
//! It reads tokens, not syntax, so that nothing hides in a macro; and it finds files as the compiler
//! does, from each crate's root by its modules, so that `super` means what it means there.

#![deny(missing_docs)]

mod names;
mod rules;
mod tree;

use std::{env, path::PathBuf, process::ExitCode};

fn main() -> ExitCode {
    let root = env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let broken = rules::check(&root);
    for line in &broken {
        eprintln!("{line}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
