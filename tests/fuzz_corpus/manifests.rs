//! Bytes as RBAC manifests: read twice they are the same, written and read again their
//! objects are, and every rule grants what it is said to grant.

use leastrole::rbac::manifests::{Loaded, Manifests};
use leastrole::rbac::{Evaluator, atoms, covers, grant_count, rule_allows};

/// Rules with more grants than this are not multiplied out.
const GRANTS: usize = 1000;

pub(crate) fn check(bytes: &[u8]) {
    let (loaded, error) = load(&[bytes]);
    let again = load(&[bytes]);
    assert_eq!(format!("{loaded:?} {error:?}"), format!("{:?} {:?}", again.0, again.1));
    written_and_read_again(&loaded);
    for object in loaded.objects.iter() {
        for rule in object.rules().iter().filter(|rule| grant_count(rule) <= GRANTS) {
            assert!(covers(std::slice::from_ref(rule), std::slice::from_ref(rule)), "{rule:?}");
            let granted: Vec<_> = atoms(rule, "ns").collect();
            assert_eq!(granted.len(), grant_count(rule), "{rule:?}");
            for atom in granted {
                assert!(rule_allows(rule, &atom), "{rule:?} refuses {atom}");
            }
        }
    }
    let evaluator = Evaluator::new(&loaded.objects);
    let grants = evaluator.grants().map(|grant| grant.holder.to_string().len()).sum::<usize>();
    let unresolved = evaluator.unresolved().count();
    assert!(grants == 0 || loaded.objects.bindings().count() > unresolved);
}

fn load(sources: &[&[u8]]) -> (Loaded, Option<String>) {
    let mut manifests = Manifests::default();
    let read = sources.iter().try_for_each(|source| manifests.read("source", source));
    (manifests.finish(), read.err().map(|error| error.to_string()))
}

fn written_and_read_again(loaded: &Loaded) {
    let texts: Vec<_> = loaded
        .objects
        .iter()
        .map(|object| serde_json::to_vec(object).expect("an object is JSON"))
        .collect();
    let sources: Vec<_> = texts.iter().map(Vec::as_slice).collect();
    let (again, error) = load(&sources);
    assert_eq!(error, None);
    let objects = |loaded: &Loaded| loaded.objects.iter().cloned().collect::<Vec<_>>();
    assert_eq!(objects(&again), objects(loaded));
}
