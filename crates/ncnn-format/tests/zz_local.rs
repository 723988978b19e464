#![allow(missing_docs, reason = "x")]
use ncnn_format::*;
use std::path::*;
fn walk(p: &Path, out: &mut Vec<PathBuf>) {
    for e in std::fs::read_dir(p).unwrap() {
        let e = e.unwrap().path();
        if e.is_dir() { walk(&e, out) } else { out.push(e) }
    }
}
#[test]
fn all() {
    let mut files = vec![];
    walk(Path::new("/work/shared"), &mut files);
    files.sort();
    let (mut n, mut nb, mut nt, mut nl) = (0, 0, 0, 0);
    for f in &files {
        if f.extension().is_some_and(|e| e == "param") {
            let text = std::fs::read_to_string(f).unwrap();
            let (model, w) = match Model::from_param_text_with(&text, &Limits::default()) {
                Ok(x) => x,
                Err(e) => {
                    println!("ERR {} {e}", f.display());
                    continue;
                }
            };
            for w in w {
                println!("{}:{}: {}", f.display(), w.line, w.message);
            }
            assert!(model.to_param_text() == text, "{}", f.display());
            model.check_param_text().unwrap();
            n += 1;
            // fresh writing keeps the meaning
            let mut fresh = model.clone();
            for l in &mut fresh.layers {
                l.source = SourceText(None)
            }
            fresh.header = SourceText(None);
            fresh.trailer = SourceText(None);
            fresh.check_param_text().unwrap();
            let again = Model::from_param_text(&fresh.to_param_text()).unwrap();
            assert!(again.layers == fresh.layers);
            if f.to_str().unwrap().contains("golden") {
                let t = fresh.to_param_text();
                if t != text {
                    println!("fresh differs {}", f.display());
                    for (a, b) in t.lines().zip(text.lines()) {
                        if a != b {
                            println!("{a}\n{b}");
                            break;
                        }
                    }
                } else {
                    println!("fresh same {}", f.display())
                }
            }
            for l in &model.layers {
                nl += 1;
                if let Err(e) = weight_layout(l) {
                    println!("LAYOUT {} {e}", f.display());
                }
                if let LayerKind::Custom(c) = &l.kind {
                    println!("custom {c} {}", f.display());
                }
                if let Some(specs) = typed::param_specs(&l.kind) {
                    for (id, _) in l.params.iter() {
                        if !specs.iter().any(|s| s.id == id) && id != 30 {
                            println!("unknown id {id} of {}", l.kind)
                        }
                    }
                }
            }
            let bin = f.with_extension("bin");
            if bin.exists() {
                let bytes = std::fs::read(&bin).unwrap();
                let mut m = model.clone();
                match m.read_bin_with(&bytes, &Limits::default()) {
                    Ok(p) => {
                        if !p.is_empty() {
                            println!("odd padding {} {}", p.len(), bin.display())
                        }
                    }
                    Err(e) => {
                        println!("BIN {} {e}", bin.display());
                        continue;
                    }
                }
                if !m.trailing_bytes.is_empty() {
                    println!("trailing {} {}", m.trailing_bytes.len(), bin.display());
                }
                assert!(m.bin_bytes().unwrap() == bytes, "{}", bin.display());
                nb += 1;
            } else if !f.to_str().unwrap().contains("zoo") {
                println!("no bin for {}", f.display())
            }
        }
        if f.extension().is_some_and(|e| e == "table") {
            let text = std::fs::read_to_string(f).unwrap();
            let t = ScaleTable::parse(&text).unwrap();
            assert!(t.to_text() == text, "{}", f.display());
            nt += 1;
        }
    }
    println!("params {n} layers {nl} bins {nb} tables {nt}");
}
