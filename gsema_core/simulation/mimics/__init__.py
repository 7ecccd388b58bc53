"""What looks like an aneurysm and is none, for networks that must not claim it.

Changes of the arteries have the arguments that `gsema_core.simulation.trees` states. They label
what they add vessel, never aneurysm, and stay below what is called one:

* `infundibulum`: a round funnel below 3 mm with a branch at its apex;
* `fenestration`: two limbs that split and join again;
* `stenosis`: narrow, then at most 1.35 times as wide as the artery;
* `kissing`, `loops`: a further branch that touches another artery, or winds;
* `cut_ends`: arteries that stop at a plane, and short stumps of branches.

`veins`, `clips` and `coiled_sac` return an `Addition` beside the labels: a faint filling or metal.
`hard_places` lists where false claims sit in arteries as they are.
"""
