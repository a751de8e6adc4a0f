//! Every defect of a text has its own error, and no text makes the parser panic. That scores equal LightGBM's is shown
//! beside the trainer, which can ask LightGBM.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HEADER: &str = "tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=binary sigmoid:0.5
feature_names=wind rain station
feature_infos=[0:9] [-1:1] 0:1:2:40
";

/// Node 0: wind <= 2.5 ? node 1 : leaf 2. Node 1: station in {1, 40} ? leaf 0 : leaf 1.
const SPLIT_TREE: &str = "Tree=0
num_leaves=3
num_cat=1
split_feature=0 2
split_gain=8 4.5
threshold=2.5 0
decision_type=2 1
left_child=1 -1
right_child=-3 -2
leaf_value=0.25 -0.5 1
leaf_weight=1 1 1
leaf_count=5 6 7
internal_value=0 0.1
internal_weight=3 2
internal_count=18 11
cat_boundaries=0 2
cat_threshold=2 256
is_linear=0
shrinkage=0.1


";

const CONSTANT_TREE: &str = "Tree=1
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.125
leaf_weight=
leaf_count=18
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


";

const FOOTER: &str = "end of trees

feature_importances:
wind=1
station=1

parameters:
[boosting: gbdt]

end of parameters
";

/// The whole text, its `tree_sizes` as long as the trees are.
fn whole(header: &str, trees: &[&str], footer: &str) -> String {
    let sizes: Vec<_> = trees.iter().map(|tree| tree.len().to_string()).collect();
    format!("{header}tree_sizes={}\n\n{}{footer}", sizes.join(" "), trees.concat())
}

fn good() -> String {
    whole(HEADER, &[SPLIT_TREE, CONSTANT_TREE], FOOTER)
}

/// The good text with one thing changed, wherever it stands first; sizes stay right.
fn changed(from: &str, to: &str) -> String {
    let parts = [HEADER, SPLIT_TREE, CONSTANT_TREE, FOOTER];
    let at = parts.iter().position(|part| part.contains(from)).unwrap();
    let mut parts = parts.map(str::to_owned);
    parts[at] = parts[at].replacen(from, to, 1);
    whole(&parts[0], &[&parts[1], &parts[2]], &parts[3])
}

#[rstest]
#[case::known_category([2.5, 0.0, 1.0], 0.375)]
#[case::second_word([2.5, 0.0, 40.0], 0.375)]
#[case::fraction_is_truncated([2.5, 0.0, 1.9], 0.375)]
#[case::other_category([2.5, 0.0, 0.0], -0.375)]
#[case::unseen([2.5, 0.0, 64.0], -0.375)]
#[case::far_unseen([2.5, 0.0, 1e18], -0.375)]
#[case::negative([2.5, 0.0, -1.0], -0.375)]
#[case::nan_category([2.5, 0.0, f64::NAN], -0.375)]
#[case::just_above([2.5000000000000004, 0.0, 1.0], 1.125)]
#[case::nan_is_zero([f64::NAN, 0.0, 1.0], 0.375)]
fn trees_are_walked_and_added(#[case] row: [f64; 3], #[case] raw: f64) {
    let forest = Forest::parse(&good()).unwrap();
    assert_eq!(forest.raw(&row), raw);
    assert_eq!(forest.score(&row), 1.0 / (1.0 + (-0.5 * raw).exp()));
}

#[test]
fn a_forest_says_what_it_is() {
    let forest = Forest::parse(&good()).unwrap();
    assert_eq!((forest.n_trees(), forest.n_features(), forest.output()), (2, 3, Output::Probability));
    assert_eq!(forest.feature_names(), ["wind", "rain", "station"]);
    assert_eq!(forest.importance(), [8.0, 0.0, 4.5]);
}

#[test]
fn averaged_output_is_the_mean_of_the_trees() {
    let text = changed("feature_names", "average_output\nfeature_names");
    assert_eq!(Forest::parse(&text).unwrap().raw(&[9.0, 0.0, 0.0]), 1.125 / 2.0);
}

#[test]
fn regression_is_the_margin_itself() {
    let forest = Forest::parse(&changed("binary sigmoid:0.5", "regression")).unwrap();
    assert_eq!(forest.output(), Output::Value);
    assert_eq!(forest.score(&[9.0, 0.0, 0.0]), 1.125);
}

#[test]
fn a_row_of_another_length_has_no_score() {
    let forest = Forest::parse(&good()).unwrap();
    assert!(forest.raw(&[1.0, 2.0]).is_nan());
    assert!(forest.score(&[1.0; 4]).is_nan());
}

#[rstest]
#[case::empty_line_of_python("pandas_categorical:null")]
#[case::no_categories_of_python("pandas_categorical:[]")]
fn the_line_that_pythons_package_adds_is_read(#[case] line: &str) {
    assert!(Forest::parse(&format!("{}\n{line}\n", good())).is_ok());
}

#[rstest]
#[case::not_a_model("tree\n", "forest\n", "`forest` stands where `tree` should be")]
#[case::version("v4", "v3", "the header: text version `v3` is not supported: LightGBM 4 writes v4")]
#[case::multiclass(
    "num_class=1",
    "num_class=3",
    "the header: `num_class` is 3: only models with one output are supported"
)]
#[case::trees_per_round(
    "iteration=1",
    "iteration=2",
    "the header: `num_tree_per_iteration` is 2: only models with one output are supported"
)]
#[case::objective(
    "binary sigmoid:0.5",
    "poisson",
    "the header: objective `poisson` is not supported: `binary sigmoid:N`, regression, regression_l1, huber, fair, quantile and mape are"
)]
#[case::square_root(
    "binary sigmoid:0.5",
    "regression sqrt",
    "the header: objective `regression sqrt` is not supported: `binary sigmoid:N`, regression, regression_l1, huber, fair, quantile and mape are"
)]
#[case::sigmoid(
    "sigmoid:0.5",
    "sigmoid:-1",
    "the header: objective `binary sigmoid:-1` is not supported: `binary sigmoid:N`, regression, regression_l1, huber, fair, quantile and mape are"
)]
#[case::custom_objective("objective=binary sigmoid:0.5\n", "", "the header: `objective` is missing")]
#[case::header_twice("num_class=1\n", "num_class=1\nnum_class=1\n", "the header: `num_class` is given twice")]
#[case::header_unknown(
    "num_class=1\n",
    "num_class=1\nsize=1\n",
    "the header: `size` is not a key of LightGBM's text version v4"
)]
#[case::names("wind rain", "wind", "the header: `feature_names` has 2 values instead of 3")]
#[case::name_twice("wind rain", "wind wind", "the header: `wind` is given twice")]
#[case::infos(" [-1:1]", "", "the header: `feature_infos` has 2 values instead of 3")]
#[case::too_many_features(
    "idx=2",
    "idx=4294967296",
    "the header: `max_feature_idx` value 0 is `4294967296`, not a number that belongs there"
)]
fn a_broken_header_is_named(#[case] from: &str, #[case] to: &str, #[case] says: &str) {
    assert_eq!(Forest::parse(&changed(from, to)).unwrap_err().to_string(), says);
}

#[rstest]
#[case::order("Tree=0", "Tree=1", "`Tree=1` stands where `Tree=0` should be")]
#[case::twice("threshold=", "threshold=1 2\nthreshold=", "tree 0: `threshold` is given twice")]
#[case::missing("threshold=2.5 0\n", "", "tree 0: `threshold` is missing")]
#[case::unknown("shrinkage", "shrink", "tree 0: `shrink` is not a key of LightGBM's text version v4")]
#[case::linear("is_linear=0", "is_linear=1", "tree 0: linear trees are not supported: train with linear_tree=false")]
#[case::no_leaves("num_leaves=3", "num_leaves=0", "tree 0: `num_leaves` value 0 is 0, which is not at least 1")]
#[case::many_leaves(
    "num_leaves=3",
    "num_leaves=18446744073709551615",
    "tree 0: `internal_value` has 2 values instead of 18446744073709551614"
)]
#[case::leaf_count("=5 6 7", "=5 6", "tree 0: `leaf_count` has 2 values instead of 3")]
#[case::leaf_values("=0.25 -0.5 1", "=0.25 -0.5", "tree 0: `leaf_value` has 2 values instead of 3")]
#[case::leaf_nan("0.25 -0.5", "0.25 nan", "tree 0: `leaf_value` value 1 is not finite")]
#[case::leaf_word("0.25 -0.5", "0.25 x", "tree 0: `leaf_value` value 1 is `x`, not a number that belongs there")]
#[case::threshold_infinite("2.5 0", "inf 0", "tree 0: `threshold` value 0 is not finite")]
#[case::double_space("2.5 0", "2.5  0", "tree 0: `threshold` value 1 is ``, not a number that belongs there")]
#[case::gain("8 4.5", "8 inf", "tree 0: `split_gain` value 1 is not finite")]
#[case::feature("feature=0 2", "feature=0 3", "tree 0: `split_feature` value 1 is 3, which is not below 3")]
#[case::decision(
    "type=2 1",
    "type=12 1",
    "tree 0: `decision_type` value 0 is 12, which is not a known decision and missing type"
)]
#[case::child_beyond(
    "child=1 -1",
    "child=2 -1",
    "tree 0: `left_child` value 0 is 2, which is not a node or leaf of 2 nodes"
)]
#[case::leaf_beyond(
    "child=-3 -2",
    "child=-4 -2",
    "tree 0: `right_child` value 0 is -4, which is not a node or leaf of 2 nodes"
)]
#[case::farthest_leaf(
    "child=-3 -2",
    "child=-2147483648 -2",
    "tree 0: `right_child` value 0 is -2147483648, which is not a node or leaf of 2 nodes"
)]
#[case::cycle(
    "child=1 -1",
    "child=1 1",
    "tree 0: `left_child` value 1 leads to 1, which already has a parent or stands before this node: not a tree"
)]
#[case::root_again(
    "child=1 -1",
    "child=1 0",
    "tree 0: `left_child` value 1 leads to 0, which already has a parent or stands before this node: not a tree"
)]
#[case::leaf_twice(
    "child=-3 -2",
    "child=-3 -1",
    "tree 0: `right_child` value 1 leads to -1, which already has a parent or stands before this node: not a tree"
)]
#[case::set_unknown("2.5 0", "2.5 1", "tree 0: `threshold` value 1 is 1, which is not the number of a category set")]
#[case::set_fraction(
    "2.5 0",
    "2.5 0.5",
    "tree 0: `threshold` value 1 is 0.5, which is not the number of a category set"
)]
#[case::set_unused("type=2 1", "type=2 2", "tree 0: `num_cat` has 1 values instead of 0")]
#[case::sets("boundaries=0 2", "boundaries=0 1 2", "tree 0: `cat_boundaries` has 3 values instead of 2")]
#[case::set_start("boundaries=0 2", "boundaries=1 2", "tree 0: `cat_boundaries` value 0 is 1, which is not 0")]
#[case::set_empty("boundaries=0 2", "boundaries=0 0", "tree 0: `cat_boundaries` value 1 is 0, which is not above 0")]
#[case::set_words("boundaries=0 2", "boundaries=0 3", "tree 0: `cat_threshold` has 2 values instead of 3")]
#[case::tail("\n\n\n", "\n\n\n\n", "`` stands where the end of tree 0 should be")]
#[case::constant_tree("leaf_value=0.125", "leaf_value=", "tree 1: `leaf_value` has 0 values instead of 1")]
fn a_broken_tree_is_named(#[case] from: &str, #[case] to: &str, #[case] says: &str) {
    assert_eq!(Forest::parse(&changed(from, to)).unwrap_err().to_string(), says);
}

#[rstest]
#[case::cut_footer("end of parameters\n", "", "the text ends where `end of parameters` should be")]
#[case::importance("wind=1", "wind", "`wind` stands where a feature's importance should be")]
#[case::more("end of parameters\n", "end of parameters\nmore\n", "`more` stands where the end of the text should be")]
#[case::pandas(
    "end of parameters\n",
    "end of parameters\npandas_categorical:[[\"a\"]]\n",
    "the model was trained on pandas categories, whose numbering is not the contract's: train on integer codes"
)]
fn a_broken_footer_is_named(#[case] from: &str, #[case] to: &str, #[case] says: &str) {
    assert_eq!(Forest::parse(&changed(from, to)).unwrap_err().to_string(), says);
}

#[test]
fn a_size_that_is_not_the_trees_is_refused() {
    let tree = format!("tree_sizes={}", SPLIT_TREE.len());
    let text = |size: usize| good().replacen(&tree, &format!("tree_sizes={size}"), 1);
    let says = |size| Forest::parse(&text(size)).unwrap_err().to_string();
    assert_eq!(says(SPLIT_TREE.len() - 1), "the text ends where `` should be");
    assert_eq!(says(SPLIT_TREE.len() - 2), "the text ends where the end of tree 0 should be");
    assert_eq!(says(SPLIT_TREE.len() + 1), "`T` stands where the end of tree 0 should be");
    assert_eq!(says(9999), "the text ends where tree 0 should be");
}

#[test]
fn a_model_without_trees_is_refused() {
    assert_eq!(Forest::parse(&whole(HEADER, &[], FOOTER)), Err(ForestError::NoTrees));
}

#[test]
fn a_text_cut_anywhere_is_refused() {
    let text = good();
    for end in 0..text.len() - 1 {
        assert!(Forest::parse(&text[..end]).is_err(), "cut at {end}: {:?}", &text[..end]);
    }
    // Only the final line's end may go.
    assert!(Forest::parse(text.trim_end()).is_ok());
}

/// A text with a few spans overwritten by what a text is made of.
fn mutated() -> impl Strategy<Value = String> {
    let words = "[-0-9 =\nA-Za-z_.:é]{0,6}|nan|inf|-2147483648|18446744073709551615|tree_sizes=|Tree=0\n";
    prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, words), 1..5).prop_map(|edits| {
        let mut text: Vec<char> = good().chars().collect();
        for (at, length, word) in edits {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, word.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_mutation_makes_the_parser_panic(text in mutated()) {
        if let Ok(forest) = Forest::parse(&text) {
            // Whatever was accepted can be walked to its end.
            let row = vec![1.0; forest.n_features()];
            prop_assert!(forest.raw(&row).is_finite());
        }
    }

    #[test]
    fn no_mutated_tree_makes_the_parser_panic(
        key in prop::sample::select(vec!["split_feature", "threshold", "decision_type", "left_child", "right_child",
            "cat_boundaries", "cat_threshold", "num_cat", "num_leaves", "leaf_value"]),
        list in prop::collection::vec(-4..5_i64, 0..4),
        wind in any::<f64>(),
        station in any::<f64>(),
    ) {
        let list: Vec<_> = list.iter().map(i64::to_string).collect();
        let start = SPLIT_TREE.find(&format!("\n{key}=")).unwrap() + 1;
        let end = start + SPLIT_TREE[start..].find('\n').unwrap();
        let text = changed(&SPLIT_TREE[start..end], &format!("{key}={}", list.join(" ")));
        if let Ok(forest) = Forest::parse(&text) {
            prop_assert!(forest.raw(&[wind, 0.0, station]).is_finite());
        }
    }

    #[test]
    fn no_text_at_all_makes_the_parser_panic(text in any::<String>()) {
        prop_assert!(Forest::parse(&text).is_err());
    }
}

/// A tree of nodes as they were drawn: each splits one of the leaves there are.
fn drawn(forest: &mut Forest, nodes: &[(usize, usize, Split)]) {
    let (first_node, first_leaf) = (forest.nodes.len(), forest.leaves.len());
    let leaf = |number: usize| !((first_leaf + number) as Link);
    forest.roots.push(if nodes.is_empty() { leaf(0) } else { first_node as Link });
    // Where the link to each leaf stands: the node and its side.
    let mut links: Vec<Option<(usize, Side)>> = vec![None];
    for (place, &(chosen, feature, split)) in nodes.iter().enumerate() {
        let (node, splits) = (first_node + place, chosen % links.len());
        if let Some((parent, side)) = links[splits] {
            forest.nodes[parent].children[side as usize] = node as Link;
        }
        forest.nodes.push(Node { split, feature: feature as u32, children: [leaf(splits), leaf(links.len())] });
        links[splits] = Some((node, Side::Left));
        links.push(Some((node, Side::Right)));
    }
    for number in 0..links.len() {
        forest.leaves.push(((first_leaf + number) as f64).sin());
    }
}

fn split() -> impl Strategy<Value = Split> {
    let side = prop_oneof![Just(Side::Left), Just(Side::Right)];
    let missing =
        prop_oneof![Just(Missing::IsZero), side.clone().prop_map(Missing::ZeroGoes), side.prop_map(Missing::NanGoes)];
    prop_oneof![
        4 => (-4i8..4, missing).prop_map(|(threshold, missing)| Split::AtMost { threshold: f64::from(threshold) / 2.0, missing }),
        1 => (0u32..6, 1u32..3).prop_map(|(first, count)| Split::OneOf { first, count }),
    ]
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-5i8..5).prop_map(|value| f64::from(value) / 2.0),
        3 => (0u8..80).prop_map(f64::from),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e-36, -1e-36, 1e300]),
    ]
}

proptest! {
    /// Feature by feature, by ranks, node by node, and several rows at a time: the same bits.
    #[test]
    fn every_way_through_a_forest_ends_in_the_same_leaves(
        trees in prop::collection::vec((0usize..140).prop_flat_map(|nodes| prop::collection::vec((0usize..200, 0usize..3, split()), nodes)), 1..20),
        rows in prop::collection::vec(prop::collection::vec(value(), 3), 1..20),
        words in prop::collection::vec(any::<u32>(), 8),
    ) {
        let mut forest = Forest::parse(&good()).unwrap();
        forest.nodes.clear();
        forest.leaves.clear();
        forest.roots.clear();
        forest.words = words;
        trees.iter().for_each(|nodes| drawn(&mut forest, nodes));
        let most = trees.iter().map(Vec::len).max().unwrap() + 1;
        let (quick, ranked) = (Quick::of(&forest), Ranked::of(&forest));
        prop_assert_eq!(quick.is_some(), most <= 64, "{} leaves", most);
        prop_assert!(ranked.is_some());
        // Enough for those that are scored in eights or in sixty-fours, and some that are left over.
        let slices: Vec<&[f64]> = rows.iter().cycle().map(Vec::as_slice).take(131).collect();
        let walked: Vec<u64> = slices.iter().map(|row| forest.walk(row).to_bits()).collect();
        for layout in [quick.map(Layout::ByFeature), ranked.map(Box::new).map(Layout::ByRank)].into_iter().flatten() {
            forest.layout = layout;
            let alone: Vec<u64> = slices.iter().map(|row| forest.raw(row).to_bits()).collect();
            let together: Vec<u64> = forest.raw_all(&slices).iter().map(|margin| margin.to_bits()).collect();
            prop_assert_eq!(&alone, &walked);
            prop_assert_eq!(&together, &walked);
        }
    }
}

#[test]
fn a_row_of_another_length_has_no_margin_among_others_that_have() {
    let forest = Forest::parse(&good()).unwrap();
    let (row, short) = ([2.5, 0.0, 1.0], [2.5, 0.0]);
    let rows: Vec<&[f64]> = (0..11).map(|place| if place == 3 { &short[..] } else { &row[..] }).collect();
    let without: Vec<usize> = (0..11).filter(|place| forest.raw_all(&rows)[*place].is_nan()).collect();
    assert_eq!(without, [3]);
}
