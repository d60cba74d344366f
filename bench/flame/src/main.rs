//! `flame TITLE SUBTITLE [HIDDEN]...`: makes a flame graph, on standard output, of what `perf
//! script` says on standard input about a program of OCaml, Rust and C, by CPU time. OCaml's
//! symbols become `Module.function`, a function that calls itself is one frame, and what starts a
//! thread is left out. So are frames whose names begin with a HIDDEN: their callees take their
//! place.

use std::env;
use std::error::Error;
use std::io::{self, BufReader, Write};

use inferno::collapse::{Collapse, perf, recursive};
use inferno::flamegraph::{self, color};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(title), Some(subtitle)) = (arguments.next(), arguments.next()) else {
        return Err("usage: perf script | flame TITLE SUBTITLE [HIDDEN]... >GRAPH.svg".into());
    };
    let hidden: Vec<String> = arguments.collect();

    let mut folded = Vec::new();
    perf::Folder::from(perf::Options::default())
        .collapse(BufReader::new(io::stdin().lock()), &mut folded)?;
    let tidy: String =
        String::from_utf8(folded)?.lines().filter_map(|line| tidy_line(line, &hidden)).collect();
    let mut stacks = Vec::new();
    recursive::Folder::from(recursive::Options::default())
        .collapse(tidy.as_bytes(), &mut stacks)?;

    let mut options = flamegraph::Options::default();
    options.title = title;
    options.subtitle = Some(subtitle);
    // The clock's samples are weighed in nanoseconds.
    options.count_name = "ms".into();
    options.factor = 1e-6;
    // One colour for each function, the same in every graph.
    options.colors = color::Palette::Basic(color::BasicPalette::Hot);
    options.deterministic = true;
    options.hash = true;
    // What is narrower is not legible, and the file is much smaller without.
    options.min_width = 0.15;
    let mut output = io::stdout().lock();
    flamegraph::from_reader(&mut options, stacks.as_slice(), &mut output)?;
    output.flush()?;
    Ok(())
}

/// A line of folded stacks (`frame;frame;frame count`), in the program's own terms. `None` if it
/// is no such line.
fn tidy_line(line: &str, hidden: &[String]) -> Option<String> {
    let (stack, count) = line.rsplit_once(' ')?;
    let mut frames = stack.split(';');
    let program = frames.next()?;
    let frames: Vec<&str> = frames.collect();
    // From the function that a thread was made for on, or the main program.
    let first = frames
        .iter()
        .position(|frame| ocaml(frame).is_some_and(|name| !name.starts_with("Thread.")));
    let shown = frames[first.unwrap_or(0)..]
        .iter()
        .map(|frame| ocaml(frame).unwrap_or_else(|| (*frame).to_owned()))
        .filter(|name| !hidden.iter().any(|prefix| name.starts_with(prefix)));
    let stack: Vec<String> = [program.to_owned()].into_iter().chain(shown).collect();
    Some(format!("{} {count}\n", stack.join(";")))
}

/// `camlStdlib__List__filter_412`, or `Stdlib.List.filter_412` where perf has translated it, is
/// `List.filter`. `None` where it is no symbol of OCaml's.
fn ocaml(symbol: &str) -> Option<String> {
    let path = symbol.strip_prefix("caml").unwrap_or(symbol);
    if !path.starts_with(|first: char| first.is_ascii_uppercase()) || path.contains("::") {
        return None;
    }
    // The compiler numbers functions, and calls those without a name fun.
    let (path, number) = path.rsplit_once('_')?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let path = path.replace("__", ".");
    // dune's prefix for the modules of programs.
    let path = path.strip_prefix("Dune.exe.").unwrap_or(&path);
    // A function may be an operator with dots in it, a module's name has letters alone.
    let mut module = None;
    let mut function = path;
    while let Some((name, rest)) = function.split_once('.') {
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) || rest.is_empty() {
            break;
        }
        module = Some(name);
        function = rest;
    }
    let function = if function == "fun" { "(function)" } else { function };
    Some(format!("{}.{function}", module?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_of_ocaml() {
        for (symbol, wanted) in [
            ("camlStdlib__List__filter_412", Some("List.filter")),
            ("Stdlib.List.filter_412", Some("List.filter")),
            ("Stdlib.@_205", Some("Stdlib.@")),
            ("camlStorm__Life__fun_1203", Some("Life.(function)")),
            ("Storm_by_lists.By_lists.fun_2146", Some("By_lists.(function)")),
            ("camlUpstream__descending_17", Some("Upstream.descending")),
            ("camlDune__exe__Storm_found__watch_7", Some("Storm_found.watch")),
            ("caml_alloc_small", None),
            ("xc_domain_getinfolist", None),
            ("xenctrl_stubs::stubs::domain::list_1", None),
            ("__GI___clock_gettime", None),
        ] {
            assert_eq!(ocaml(symbol).as_deref(), wanted, "{symbol}");
        }
    }

    #[test]
    fn what_starts_a_thread_is_left_out() {
        let tidy = |line, hidden: &[&str]| {
            let hidden: Vec<String> = hidden.iter().map(|&prefix| prefix.to_owned()).collect();
            tidy_line(line, &hidden)
        };
        let line = "p;clone;start_thread;Thread.fun_9;Storm.Life.start_1;Storm.Cost.list_2;read 7";
        assert_eq!(tidy(line, &[]), Some("p;Life.start;Cost.list;read 7\n".into()));
        assert_eq!(tidy(line, &["Cost."]), Some("p;Life.start;read 7\n".into()));
        assert_eq!(tidy("p;clone;poll 2", &[]), Some("p;clone;poll 2\n".into()));
        assert_eq!(tidy("nothing", &[]), None);
    }
}
