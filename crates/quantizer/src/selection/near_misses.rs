//! What a pattern that matches nothing may have meant.

use ncnn_format::{Layer, Model};

use super::pattern::Pattern;

/// How many suggestions are made.
const SUGGESTIONS: usize = 5;

/// Says that `pattern` matches nothing, and what comes close.
pub(super) fn describe(pattern: &Pattern, candidates: &[(usize, &Layer)], model: &Model) -> String {
    if let Some(layer) = model.layers.iter().find(|layer| pattern.matches(layer)) {
        return format!(
            "{pattern} matches {} ({}), which has no int8 form; every layer like it is float anyway",
            layer.name, layer.kind
        );
    }
    let mut names: Vec<&str> = Vec::new();
    for (_, layer) in candidates {
        for name in [layer.name.as_str(), layer.kind.as_str()] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let wanted = pattern.as_str().to_lowercase();
    let mut close: Vec<(usize, &str)> = names
        .iter()
        .map(|&name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|&(distance, name)| distance <= wanted.len() / 3 + 1 || shares_a_part(&wanted, &name.to_lowercase()))
        .collect();
    close.sort();
    let suggestions: Vec<&str> = close.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect();
    let hint = match suggestions.is_empty() {
        true => format!("there are {}", names.iter().take(SUGGESTIONS).copied().collect::<Vec<_>>().join(", ")),
        false => format!("did you mean {}?", suggestions.join(", ")),
    };
    format!("{pattern} matches no layer that could be int8; {hint}")
}

/// Whether one contains the other, wild cards aside.
fn shares_a_part(wanted: &str, name: &str) -> bool {
    let longest = wanted.split(['*', '?']).max_by_key(|part| part.len()).unwrap_or_default();
    longest.len() >= 2 && (name.contains(longest) || longest.contains(name))
}

/// The least number of characters to add, drop or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_are_counted_in_characters() {
        for (a, b, expected) in [("", "abc", 3), ("kitten", "sitting", 3), ("größe", "grösse", 2), ("a", "a", 0)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
