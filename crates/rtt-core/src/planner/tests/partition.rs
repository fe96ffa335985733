//! Proofs by the cut of a partition, against enumeration and against another exact search.

use super::{Random, enumerated, placed_values, random_partition, spread_over_hosts};
use crate::planner::problem::Objective;
use crate::planner::{cuts, dolls::Dolls, local::Tables, partition::prove, search::Budget};

const PLENTY: u64 = 2_000_000_000;

#[test]
fn from_the_worst_incumbent_a_proof_leads_to_the_optimum() {
    let mut random = Random(0x9a27);
    let (mut proven, mut improved) = (0, 0);
    for round in 0..40 {
        let mut problem = random_partition(&mut random, 6, 4, 10);
        // Two hosts of two nodes, a call between them dear; every third problem on one host.
        if round % 3 != 0 {
            spread_over_hosts(&mut problem, None);
        }
        // Where nodes are so close, the least difference between two values is 1.
        if round % 2 == 0 {
            problem.distance.iter_mut().flatten().for_each(|distance| *distance -= 9 * i64::from(*distance == 20));
        }
        let all = enumerated(&problem);
        let Some(&best) = all.first() else { continue };
        for level in 0..3 {
            let alike = |values: &&Objective| values[..level] == best[..level];
            let worst = *all.iter().filter(alike).max_by_key(|values| values[level]).expect("the best is one");
            let proof = prove(&problem, level, &worst, PLENTY, &|| false).expect("small");
            assert_eq!(proof.bound, best[level], "round {round}, level {level}");
            let better = proof.better.map(|assignment| problem.evaluate(&assignment).values[level]);
            assert_eq!(better.unwrap_or(worst[level]), best[level], "round {round}, level {level}");
            proven += 1;
            improved += i32::from(worst[level] > best[level]);
        }
    }
    assert!(proven > 30 && improved > 20, "{proven} {improved}");
}

#[test]
fn larger_proofs_agree_with_russian_dolls() {
    let mut random = Random(0x9a28);
    let (mut agreed, mut tighter) = (0, 0);
    for round in 0..6 {
        let mut problem = random_partition(&mut random, 14, 3, 40);
        problem.routes.iter_mut().for_each(|route| (route.strict, route.latency_us) = (false, None));
        // With one distance between nodes the cut is all that there is to pay.
        problem.distance.iter_mut().flatten().for_each(|distance| *distance = (*distance).min(20));
        let tables = Tables::new(&problem).expect("small figures");
        let mut dolls = Dolls::new(&problem, &tables).expect("small");
        let mut budget = Budget { left: 100_000_000, expired: &|| false };
        let Some(best) = dolls.search(i128::MAX / 1_000_000_000, &mut budget).expect("within the budget") else {
            continue;
        };
        let best = placed_values(&problem, best).expect("it holds");
        let begin = [best[0], best[1] * 2 + 1, best[2], best[3], best[4]];
        let proof = prove(&problem, 1, &begin, PLENTY, &|| false).expect("small");
        let better = problem.evaluate(&proof.better.expect("there is a better one"));
        assert_eq!((proof.bound, better.values[1]), (best[1], best[1]), "round {round}");
        agreed += 1;
        // After few decisions the bound holds as well, and mostly says more than the one without triangles.
        let early = prove(&problem, 1, &best, 14_000_000, &|| false).expect("small").bound;
        assert!(early <= best[1], "round {round}: {early} {best:?}");
        tighter += i32::from(early > cuts::bound(&problem, 1, PLENTY, &|| false).expect("small figures"));
    }
    assert!(agreed > 4 && tighter > 2, "{agreed} {tighter}");
}

#[test]
fn threads_change_nothing_about_a_proof() {
    let mut random = Random(0x9a29);
    let problem = random_partition(&mut random, 16, 4, 50);
    let begin = [i64::MAX / 4; 5];
    for work in [PLENTY / 100, PLENTY] {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let proof = pool.install(|| prove(&problem, 0, &begin, work, &|| false)).expect("small");
            (proof.bound, proof.better, proof.nodes)
        };
        assert_eq!(with(1), with(3), "{work}");
    }
}
