"""The five dashboards: each panel answers one question, in French and in English."""

from __future__ import annotations

from dashboards.panels import Board, Choice, Panel, Query, Row, Text

_HOSTS = "state:kitsurvie_compliance_hosts:sum"
_MEMBER = "member_state:kitsurvie_compliance_hosts:sum"
_NAMES = "* on (member) group_left (name) member_name_epci:kitsurvie_member_info:max"
_EPCI_NAMES = "* on (epci) group_left (name) max by (epci, name) (kitsurvie_epci_info)"
_OUT = 'state=~"unreachable|error|unknown"'
_KWH = "/ 3.6e6"
_KG = "/ 1000"
_GOOD_BAD = ((1.0, "orange"), (10.0, "red"))
_BOUND = Text("{{bound}}", "{{bound}}")
_YES = {
    "0": (Text("non", "no"), "red"),
    "1": (Text("oui", "yes"), "green"),
}
_FAILED = {
    "0": (Text("réussi", "went well"), "green"),
    "1": (Text("en échec", "failed"), "red"),
}
_FEW = Text("pas de chiffre : moins de cinq agents", "no figure: fewer than five agents")
_BOUNDS_TOLD = Text(
    "Basse, centrale, haute : la fourchette des sources, jamais un chiffre seul.",
    "Low, central, high: the range of the sources, never a single figure.",
)


def _one(title: Text, told: Text, expr: str, **more: object) -> Panel:
    return Panel("stat", title, told, (Query(expr),), **more)  # type: ignore[arg-type]


def _three(title: Text, told: Text, expr: str, unit: str, **more: object) -> Panel:
    """Low, central, high: `expr` has BOUND where the bound stands."""
    words = {
        "low": Text("basse", "low"),
        "central": Text("centrale", "central"),
        "high": Text("haute", "high"),
    }
    queries = tuple(Query(expr.replace("BOUND", bound), name) for bound, name in words.items())
    said = Text(f"{told.fr} {_BOUNDS_TOLD.fr}", f"{told.en} {_BOUNDS_TOLD.en}")
    return Panel("stat", title, said, queries, unit=unit, width=8, decimals=0, **more)  # type: ignore[arg-type]


NIGHT = Board(
    "kitsurvie-night",
    Text("kitsurvie : la nuit", "kitsurvie: the night"),
    Text("Ce qui a cassé la nuit dernière, et où.", "What broke last night, and where."),
    "7d",
    (
        _one(
            Text("Depuis quand la dernière nuit est-elle finie ?", "How long ago did the last night end well?"),
            Text(
                "Âge du dernier constat terminé avec au moins une réponse. Plus de 26 heures : rien de neuf n’est vu.",
                "Age of the newest run that ended with at least one answer. Over 26 hours nothing new is seen.",
            ),
            "time() - max(kitsurvie_compliance_last_success_timestamp_seconds)",
            unit="s", decimals=1, steps=((24 * 3600.0, "orange"), (26 * 3600.0, "red")),
        ),
        _one(
            Text("Combien de machines dérivent ?", "How many machines drift?"),
            Text("Machines dont au moins une règle est en écart.", "Machines with at least one measure that drifts."),
            f'sum({_HOSTS}{{state="drift"}})',
            steps=_GOOD_BAD,
        ),
        _one(
            Text("Combien n’ont pas pu être jugées ?", "How many could not be judged?"),
            Text(
                "Injoignables ou en erreur, parmi celles qui devraient être allumées.",
                "Out of reach or in error, of those that should be up.",
            ),
            f"sum({_HOSTS}{{{_OUT}}}) or vector(0)",
            steps=_GOOD_BAD,
        ),
        _one(
            Text("Quelle part des machines jugées est conforme ?", "What share of the judged is compliant?"),
            Text("Conformes, sur conformes et en écart.", "Compliant, of compliant and drifting."),
            f'sum({_HOSTS}{{state="compliant"}}) / sum({_HOSTS}{{state=~"compliant|drift"}})',
            unit="percentunit", decimals=1,
        ),
        Panel(
            "table",
            Text("Quelles alertes sont ouvertes ?", "Which alerts are firing?"),
            Text("Chaque alerte a sa page dans monitoring/runbooks.", "Each alert has its page in monitoring/runbooks."),
            (Query('sum by (alertname, severity) (ALERTS{alertstate="firing"})'),),
            width=12, height=8, none=Text("aucune alerte", "no alert"), or_nothing=True,
            columns={
                "alertname": Text("Alerte", "Alert"),
                "severity": Text("Gravité", "Severity"),
                "Value": Text("Nombre", "Count"),
            },
        ),
        Panel(
            "table",
            Text("Quels membres regarder d’abord ?", "Which members first?"),
            Text("Les quinze qui ont le plus de machines en écart ou non jugées.", "The fifteen with most machines that drift or could not be judged."),
            (
                Query(
                    "sort_desc(topk(15, sum by (member) "
                    f'({_MEMBER}{{state=~"drift|unreachable|error|unknown"}}) > 0) {_NAMES})'
                ),
            ),
            width=12, height=8, none=Text("aucun membre", "no member"), or_nothing=True,
            columns={
                "name": Text("Membre", "Member"),
                "member": Text("SIREN", "SIREN"),
                "Value": Text("Machines", "Machines"),
            },
        ),
        Panel(
            "series",
            Text("Où en étaient les machines, nuit après nuit ?", "Where did the machines stand, night after night?"),
            Text("Machines par état. Absente : éteinte, ce qui n’est pas une faute.", "Machines by state. Absent: switched off, which is no fault."),
            (Query(_HOSTS, Text("{{state}}", "{{state}}")),),
            width=12, height=8, stacked=True,
        ),
        Panel(
            "bars",
            Text("Quelles règles dérivent le plus ?", "Which measures drift most?"),
            Text("Nombre de machines en écart, par règle.", "Machines on which each drifts."),
            (Query("sort_desc(topk(10, measure:kitsurvie_compliance_drifting_hosts:sum))", Text("{{measure}}", "{{measure}}")),),
            width=12, height=8, steps=_GOOD_BAD,
        ),
        Panel(
            "bars",
            Text("Sur quels profils ?", "On which profiles?"),
            Text("Machines en écart, par profil.", "Machines that drift, by profile."),
            (Query('sum by (profile) (kitsurvie_compliance_profile_hosts{state="drift"})', Text("{{profile}}", "{{profile}}")),),
            width=8, height=6, steps=_GOOD_BAD,
        ),
        Panel(
            "bars",
            Text("Depuis quand les machines ont-elles été vues ?", "How long ago were the machines seen?"),
            Text("Vues depuis un jour, une semaine, un mois… ; never : jamais.", "Seen within a day, a week, a month…; never: not once."),
            (Query("sum by (age) (kitsurvie_hosts_seen)", Text("{{age}}", "{{age}}")),),
            width=8, height=6,
        ),
        Panel(
            "bars",
            Text("Que disent les constats ?", "What do the checks say?"),
            Text("Constats par ce qu’ils ont dit en dernier.", "Checks by what they said last."),
            (Query('sum by (status) (kitsurvie_compliance_checks{job="kitsurvie"})', Text("{{status}}", "{{status}}")),),
            width=8, height=6,
        ),
        Panel(
            "bars",
            Text("Quelles dérogations prennent fin ?", "Which waivers end?"),
            Text("Par échéance : 7 jours, 30 jours, plus tard, passée.", "By when: 7 days, 30 days, later, over."),
            (Query("sum by (ends) (kitsurvie_waivers)", Text("{{ends}}", "{{ends}}")),),
            width=8, height=6,
        ),
        Panel(
            "bars",
            Text("Quelles déclarations datées prennent fin ?", "Which attestations end?"),
            Text("Par échéance : 7 jours, 30 jours, plus tard, passée.", "By when: 7 days, 30 days, later, over."),
            (Query("sum by (ends) (kitsurvie_attestations)", Text("{{ends}}", "{{ends}}")),),
            width=8, height=6,
        ),
        Panel(
            "series",
            Text("Combien de temps durent les passages ?", "How long do the runs take?"),
            Text("Durée du dernier passage de chaque sorte.", "Duration of the newest run of each kind."),
            (Query("kitsurvie_run_duration_seconds", Text("{{kind}}", "{{kind}}")),),
            unit="s", width=8, height=6,
        ),
    ),
)  # fmt: skip

_M = 'member="$member"'
MEMBER = Board(
    "kitsurvie-member",
    Text("kitsurvie : un membre", "kitsurvie: a member"),
    Text("Un membre choisi par son nom.", "One member, chosen by name."),
    "7d",
    (
        *(
            _one(
                Text(fr, en), Text(told_fr, told_en),
                f"sum({_MEMBER}{{{_M}, {state}}}) or (0 * sum({_MEMBER}{{{_M}}}))",
                steps=steps,
            )
            for fr, en, told_fr, told_en, state, steps in (
                ("Machines conformes", "Compliant machines", "Toutes les règles sont tenues.", "Every measure holds.", 'state="compliant"', ()),
                ("Machines en écart", "Machines that drift", "Au moins une règle est en écart.", "At least one measure drifts.", 'state="drift"', _GOOD_BAD),
                ("Machines non jugées", "Machines not judged", "Injoignables ou en erreur.", "Out of reach or in error.", _OUT, _GOOD_BAD),
                ("Machines absentes", "Absent machines", "Éteintes ou ailleurs : ce n’est pas une faute.", "Off or elsewhere: no fault.", 'state=~"absent|unseen"', ()),
            )
        ),
        Panel(
            "series",
            Text("Où en étaient ses machines, nuit après nuit ?", "Where did its machines stand, night after night?"),
            Text("Machines par état.", "Machines by state."),
            (Query(f"{_MEMBER}{{{_M}}}", Text("{{state}}", "{{state}}")),),
            width=12, height=8, stacked=True,
        ),
        Panel(
            "table",
            Text("Quelles machines suivies répondent ?", "Which of the scraped machines answer?"),
            Text("Les machines qui ont une sonde et que Prometheus joint. Un PC éteint n’est pas une panne.", "Machines with a probe that Prometheus reaches. A PC that is off is no trouble."),
            (Query(f'max by (instance, profile) (up{{job="kitsurvie_node", {_M}}})'),),
            width=12, height=8, words=_YES, none=Text("aucune machine suivie", "no machine is scraped"), or_nothing=True,
            columns={"instance": Text("Machine", "Machine"), "profile": Text("Profil", "Profile"), "Value": Text("Répond", "Answers")},
        ),
        Panel(
            "bars",
            Text("Quelle place reste-t-il sur les disques ?", "How much of the disks is left?"),
            Text("Le disque le plus plein de chaque machine suivie.", "The fullest disk of each scraped machine."),
            (Query(f'min by (instance) (node_filesystem_avail_bytes{{job="kitsurvie_node", {_M}, fstype!~"tmpfs|ramfs|squashfs|iso9660|overlay"}} / node_filesystem_size_bytes)', Text("{{instance}}", "{{instance}}")),),
            unit="percentunit", width=8, height=6, none=Text("aucune machine suivie", "no machine is scraped"), or_nothing=True,
        ),
        Panel(
            "series",
            Text("Que consomment ses machines suivies, selon le modèle ?", "What do its scraped machines use, by the model?"),
            Text("Puissance modélisée de la machine entière ; ce n’est pas une mesure.", "Modelled power of the whole machine; not a measure."),
            (Query(f"sum by (bound) (rate(kitsurvie_energy_modelled_joules_total{{{_M}}}[1h]))", _BOUND),),
            unit="watt", width=8, height=6, or_nothing=True,
        ),
        Panel(
            "series",
            Text("Que consomment leurs processeurs, mesuré ?", "What do their processors use, measured?"),
            Text("Mesuré, processeur seul (rapl) ou machine sur batterie (battery) : jamais à additionner.", "Measured, processor alone (rapl) or machine on battery: never to be added."),
            (Query(f"sum by (method) (rate(kitsurvie_energy_joules_total{{{_M}}}[1h]))", Text("{{method}}", "{{method}}")),),
            unit="watt", width=8, height=6, none=Text("aucune mesure", "nothing measured"), or_nothing=True,
        ),
        Panel(
            "bars",
            Text("Qui y est équipé deux fois ?", "How many are equipped twice there?"),
            Text("Personnes, par constat, à partir de cinq agents.", "People, by verdict, from five agents up."),
            (Query(f"sum by (verdict) (kitsurvie_equipment_member_doubles{{{_M}}})", Text("{{verdict}}", "{{verdict}}")),),
            width=12, height=6, none=_FEW, or_nothing=True,
        ),
        Panel(
            "bars",
            Text("Quelle part de ses machines ne sert plus ?", "What share of its machines is not used?"),
            Text("Sans utilisateur depuis 30 jours, parmi celles dont l’usage est connu, à partir de cinq agents.", "Without a user for 30 days, of those whose use is known, from five agents up."),
            (Query(f"kitsurvie_usage_member_unused_ratio{{{_M}}}", Text("30 jours", "30 days")),),
            unit="percentunit", width=12, height=6, none=_FEW, or_nothing=True,
        ),
    ),
    (Choice("member", Text("Membre", "Member"), "member_name_epci:kitsurvie_member_info:max", "member"),),
)  # fmt: skip

_E = 'epci=~"$epci"'
_PICK = (Choice("epci", Text("EPCI", "EPCI"), "kitsurvie_epci_info", "epci", all=True),)
_NIGHT = f'epci_bound:kitsurvie_energy_modelled_joules_night:rate1h{{{_E}, bound="BOUND"}}'
# of a Prometheus that has not seen a whole night yet, nothing is said
_NIGHT_KWH = (
    f"sum(avg_over_time({_NIGHT}[1d]) and on (epci, bound) {_NIGHT} offset 20h) * 86400 {_KWH}"
)
_NO_NIGHT = Text("pas encore une nuit entière de données", "not yet a whole night of data")

EQUIPMENT = Board(
    "kitsurvie-equipment",
    Text("kitsurvie : équipement et doubles", "kitsurvie: equipment and doubles"),
    Text("Ce qui peut être repris, prêté ou éteint, et ce que cela vaut.", "What can be taken back, lent or switched off, and its worth."),
    "30d",
    (
        *(
            _one(Text(fr, en), Text(told_fr, told_en), f'sum(kitsurvie_equipment_devices{{{_E}, state="{state}"}}) or (0 * sum(kitsurvie_equipment_devices{{{_E}}}))', decimals=0)
            for fr, en, told_fr, told_en, state in (
                ("Machines en service", "Devices in service", "Selon le registre.", "By the register.", "in_service"),
                ("Machines en stock", "Devices in stock", "À proposer avant tout achat.", "To be offered before anything is bought.", "stock"),
                ("Machines prêtées", "Devices lent", "Sorties avec une date de retour.", "Out, with a day of return.", "lent"),
                ("Machines sorties du parc", "Devices discarded", "Cédées, données ou recyclées.", "Sold, given or recycled.", "discarded"),
            )
        ),
        Panel(
            "bars",
            Text("De quoi est fait le parc ?", "What is in service?"),
            Text("Machines en service, par sorte.", "Devices in service, by kind."),
            (Query(f'sort_desc(sum by (kind) (kitsurvie_equipment_devices{{{_E}, state="in_service"}}))', Text("{{kind}}", "{{kind}}")),),
            width=12, height=7,
        ),
        Panel(
            "bars",
            Text("Combien d’agents sont équipés deux fois ?", "How many people are equipped twice?"),
            Text("Par constat : seconde machine dormante, alternance, usage simultané, mutualisée.", "By verdict: dormant second machine, alternating, concurrent, pool."),
            (Query(f"sort_desc(sum by (verdict) (kitsurvie_equipment_doubles{{{_E}}}))", Text("{{verdict}}", "{{verdict}}")),),
            width=12, height=7, none=_FEW, or_nothing=True,
        ),
        Row(Text("Reprendre les doubles", "Taking doubles back")),
        _three(Text("Quels achats éviterait-on ?", "Which purchases would be avoided?"), Text("Machines neuves à ne pas acheter, une fois : la part de vie qui reste à celles que l’on reprend.", "New machines not to be bought, once: the share of their life that is left to those taken back."), f'sum(kitsurvie_equipment_doubles_avoided_purchases{{{_E}, bound="BOUND"}})', "suffix: machines"),
        _three(Text("Quel carbone de fabrication éviterait-on ?", "How much carbon of making?"), Text("kgCO2e, une fois.", "kgCO2e, once."), f'sum(kitsurvie_equipment_doubles_embodied_grams{{{_E}, bound="BOUND"}}) {_KG}', "suffix: kgCO2e"),
        _three(Text("Quelle électricité par an ?", "How much electricity a year?"), Text("Ce que les secondes machines consomment, sur le papier.", "What the second machines use, on paper."), f'sum(kitsurvie_equipment_doubles_yearly_joules{{{_E}, bound="BOUND"}}) {_KWH}', "kwatth"),
        Panel(
            "table",
            Text("Où commencer ?", "Where to begin?"),
            Text("Valeurs centrales, par EPCI.", "Central values, by EPCI."),
            (
                Query(f'sum by (epci) (kitsurvie_equipment_doubles_avoided_purchases{{{_E}, bound="central"}}) {_EPCI_NAMES}'),
                Query(f'sum by (epci) (kitsurvie_equipment_doubles_embodied_grams{{{_E}, bound="central"}}) {_KG} {_EPCI_NAMES}'),
                Query(f'sum by (epci) (kitsurvie_equipment_doubles_yearly_joules{{{_E}, bound="central"}}) {_KWH} {_EPCI_NAMES}'),
            ),
            width=24, height=7, none=_FEW, or_nothing=True,
            columns={
                "name": Text("EPCI", "EPCI"), "epci": Text("SIREN", "SIREN"),
                "Value #A": Text("Achats évités", "Purchases avoided"),
                "Value #B": Text("Fabrication", "Making"),
                "Value #C": Text("Électricité par an", "Electricity a year"),
            },
            units={"Value #A": "suffix: machines", "Value #B": "suffix: kgCO2e", "Value #C": "kwatth"},
        ),
        Row(Text("Ce qui ne sert pas", "What is not used")),
        Panel(
            "bars",
            Text("Combien de machines ne servent plus ?", "How many machines are not used?"),
            Text("Parmi celles dont l’usage est connu : consultation enregistrée, cinq agents au moins.", "Of those whose use is known: a consultation on record, five agents at least."),
            (
                Query(f"sum(kitsurvie_usage_devices{{{_E}}})", Text("usage connu", "use known")),
                Query(f"sum by (days) (kitsurvie_usage_unused_devices{{{_E}}})", Text("{{days}} jours", "{{days}} days")),
            ),
            width=8, height=7, none=Text("usage non collecté", "use is not collected"), or_nothing=True,
        ),
        _three(Text("Quels achats éviterait-on en les cédant ?", "Purchases avoided by handing them on?"), Text("Machines neuves à ne pas acheter ; sans utilisateur depuis 30 jours.", "New machines not to be bought; without a user for 30 days."), f'sum(kitsurvie_usage_unused_avoided_purchases{{{_E}, bound="BOUND"}})', "suffix: machines", height=7, none=Text("usage non collecté", "use is not collected"), or_nothing=True),
        _three(Text("Que consomment-elles par an ?", "What do they use in a year?"), Text("Sur le papier : vues allumées depuis, sans utilisateur depuis 30 jours.", "On paper: seen on since, without a user for 30 days."), f'sum(kitsurvie_usage_unused_yearly_joules{{{_E}, bound="BOUND"}}) {_KWH}', "kwatth", height=7, none=Text("usage non collecté", "use is not collected"), or_nothing=True),
        Row(Text("Ce qui peut s’éteindre la nuit", "What can be switched off at night")),
        Panel(
            "series",
            Text("Combien de PC restent allumés ?", "How many PCs stay on?"),
            Text("PC suivis qui répondent, heure par heure.", "Scraped PCs that answer, hour by hour."),
            (Query(f'sum by (profile) (up{{job="kitsurvie_node", profile=~"desktop|laptop", {_E}}})', Text("{{profile}}", "{{profile}}")),),
            width=8, height=7, none=Text("aucun PC suivi", "no PC is scraped"), or_nothing=True,
        ),
        _three(Text("Que consomment les PC entre minuit et 4 h UTC ?", "What do PCs use from midnight to 4 h UTC?"), Text("Dernières 24 heures, PC suivis, modélisé.", "Last 24 hours, scraped PCs, modelled."), _NIGHT_KWH, "kwatth", height=7, none=_NO_NIGHT, or_nothing=True),
        _three(
            Text("Que vaut cette consommation sur un an ?", "What is that worth over a year?"),
            Text("Au prix moyen de chaque borne.", "At the mean price of each bound."),
            f'365 * ({_NIGHT_KWH}) * 3.6e6 * scalar(kitsurvie_electricity_joule_euros{{bound="BOUND"}})',
            "currencyEUR", height=7, none=_NO_NIGHT, or_nothing=True,
        ),
    ),
    _PICK,
)  # fmt: skip

ENERGY = Board(
    "kitsurvie-energy",
    Text("kitsurvie : énergie et carbone", "kitsurvie: energy and carbon"),
    Text("Mesuré et modélisé séparément ; jamais additionnés.", "Measured and modelled apart; never added."),
    "7d",
    (
        Row(Text("Mesuré", "Measured")),
        Panel(
            "bars",
            Text("Combien de machines sont couvertes, et comment ?", "How many machines are covered, and how?"),
            Text("Machines avec sonde, par la meilleure méthode ; none : rien à lire.", "Machines with a probe, by the best method; none: nothing to read."),
            (Query(f"sum by (method) (kitsurvie_energy_readings_hosts{{{_E}}})", Text("{{method}}", "{{method}}")),),
            width=8, height=7, or_nothing=True,
        ),
        Panel(
            "stat",
            Text("Combien a été mesuré en 30 jours ?", "How much was measured in 30 days?"),
            Text("rapl : processeurs seuls. battery : machines entières, sur batterie seulement.", "rapl: processors alone. battery: whole machines, on battery only."),
            (Query(f'sum by (method) (kitsurvie_energy_recent_joules{{{_E}, method=~"rapl|battery"}}) {_KWH}', Text("{{method}}", "{{method}}")),),
            unit="kwatth", decimals=0, width=8, height=7, none=Text("aucune mesure", "nothing measured"), or_nothing=True,
        ),
        Panel(
            "series",
            Text("Quelle puissance est mesurée ?", "Which power is measured?"),
            Text("Machines suivies, moyenne sur une heure, par méthode.", "Scraped machines, mean of an hour, by method."),
            (Query(f"sum by (method) (epci_profile_method:kitsurvie_energy_joules:rate1h{{{_E}}})", Text("{{method}}", "{{method}}")),),
            unit="watt", width=8, height=7, none=Text("aucune mesure", "nothing measured"), or_nothing=True,
        ),
        Row(Text("Modélisé", "Modelled")),
        _three(Text("Combien en 30 jours, selon le modèle ?", "How much in 30 days, by the model?"), Text("Machines entières, avec sonde.", "Whole machines, with a probe."), f'sum(kitsurvie_energy_recent_joules{{{_E}, method="modelled", bound="BOUND"}}) {_KWH}', "kwatth", height=7, or_nothing=True),
        Panel(
            "series",
            Text("Quelle puissance, selon le modèle ?", "Which power, by the model?"),
            Text("Machines suivies, moyenne sur une heure. " + _BOUNDS_TOLD.fr, "Scraped machines, mean of an hour. " + _BOUNDS_TOLD.en),
            (Query(f"sum by (bound) (epci_profile_bound:kitsurvie_energy_modelled_joules:rate1h{{{_E}}})", _BOUND),),
            unit="watt", width=8, height=7, or_nothing=True,
        ),
        Panel(
            "series",
            Text("Quelle part du temps les machines sont-elles allumées ?", "What share of the time are machines awake?"),
            Text("Moyenne par profil des machines suivies ; une sonde arrêtée ne compte pas.", "Mean by profile of scraped machines; a probe that stopped does not count."),
            (Query(f"avg by (profile) (rate(kitsurvie_powered_seconds_total{{{_E}}}[1h]))", Text("{{profile}}", "{{profile}}")),),
            unit="percentunit", width=8, height=7, or_nothing=True,
        ),
        Row(Text("Sur le papier : tout le parc, un an", "On paper: the whole register, one year")),
        _three(Text("Combien d’électricité par an ?", "How much electricity a year?"), Text("Sorte, jours d’usage et facteurs ; pas une mesure.", "Kind, days of use and factors; not measured."), f'sum(kitsurvie_equipment_yearly_joules{{{_E}, bound="BOUND"}}) {_KWH}', "kwatth"),
        _three(Text("À quel prix ?", "At which price?"), Text("Euros par an.", "Euros a year."), f'sum(kitsurvie_equipment_yearly_joules{{{_E}, bound="BOUND"}}) * scalar(kitsurvie_electricity_joule_euros{{bound="BOUND"}})', "currencyEUR"),
        _three(Text("Quelles émissions ?", "Which emissions?"), Text("kgCO2e par an, à l’usage.", "kgCO2e a year, in use."), f'sum(kitsurvie_equipment_yearly_joules{{{_E}, bound="BOUND"}}) * scalar(kitsurvie_electricity_joule_grams{{bound="BOUND"}}) {_KG}', "suffix: kgCO2e"),
        Panel(
            "table",
            Text("Quelles sortes consomment le plus ?", "Which kinds use most?"),
            Text("Valeurs centrales, sur le papier.", "Central values, on paper."),
            (
                Query(f'sum by (kind) (kitsurvie_equipment_yearly_joules{{{_E}, bound="central"}}) {_KWH}'),
                Query(f'sum by (kind) (kitsurvie_equipment_yearly_joules{{{_E}, bound="central"}}) * scalar(kitsurvie_electricity_joule_euros{{bound="central"}})'),
                Query(f'sum by (kind) (kitsurvie_equipment_yearly_joules{{{_E}, bound="central"}}) * scalar(kitsurvie_electricity_joule_grams{{bound="central"}}) {_KG}'),
            ),
            width=24, height=7,
            columns={
                "kind": Text("Sorte", "Kind"), "Value #A": Text("Électricité", "Electricity"),
                "Value #B": Text("Prix", "Price"), "Value #C": Text("Émissions", "Emissions"),
            },
            units={"Value #A": "kwatth", "Value #B": "currencyEUR", "Value #C": "suffix: kgCO2e"},
        ),
    ),
    _PICK,
)  # fmt: skip

_AGES = ((26 * 3600.0, "orange"), (50 * 3600.0, "red"))
HEALTH = Board(
    "kitsurvie-health",
    Text("kitsurvie : santé du kit", "kitsurvie: health of the kit"),
    Text("Ce qui surveille est-il en état de surveiller ?", "Is what watches able to watch?"),
    "24h",
    (
        _one(Text("L’exportateur répond-il ?", "Does the exporter answer?"), Text("Sinon les tableaux n’avancent plus.", "Else dashboards stand still."), 'max(up{job="kitsurvie"})', words=_YES),
        _one(Text("Le registre des passages est-il lisible ?", "Can the ledger be read?"), Text("Lu par l’exportateur.", "As the exporter reads it."), "min(kitsurvie_exporter_ledger_up)", words=_YES),
        _one(Text("Depuis quand les chiffres sont-ils lus ?", "How old are the figures?"), Text("Âge de la dernière lecture de l’exportateur.", "Age of the exporter's last reading."), "time() - max(kitsurvie_exporter_read_timestamp_seconds)", unit="s", decimals=0, steps=((3600.0, "orange"), (7200.0, "red"))),
        _one(Text("Prometheus a-t-il un Alertmanager ?", "Has Prometheus an Alertmanager?"), Text("Zéro : aucune alerte n’est envoyée.", "Zero: no alert is sent."), "max(prometheus_notifications_alertmanagers_discovered)"),
        Panel(
            "stat",
            Text("La nuit, la sauvegarde et la reprise ont-elles réussi ?", "Did the night, the backup and the ingest go well?"),
            Text("Ce que le poste d’administration dit de la dernière de chaque.", "What the control node says of the last of each."),
            (
                Query("max(kitsurvie_night_failed)", Text("nuit", "night")),
                Query("max(kitsurvie_backup_failed)", Text("sauvegarde", "backup")),
                Query("max(kitsurvie_ingest_failed)", Text("reprise", "ingest")),
            ),
            width=12, height=5, words=_FAILED, or_nothing=True,
        ),
        Panel(
            "stat",
            Text("Depuis quand ont-elles réussi ?", "How long ago did they go well?"),
            Text("Âge de la dernière réussite.", "Age of the last success."),
            (
                Query("time() - max(kitsurvie_night_last_success_timestamp_seconds)", Text("nuit", "night")),
                Query("time() - max(kitsurvie_backup_last_success_timestamp_seconds)", Text("sauvegarde", "backup")),
                Query("time() - max(kitsurvie_ingest_last_success_timestamp_seconds)", Text("reprise", "ingest")),
            ),
            unit="s", decimals=1, width=12, height=5, steps=_AGES, or_nothing=True,
        ),
        Panel(
            "table",
            Text("Quelles parties sont lues ?", "Which parts are read?"),
            Text("Une partie illisible n’exporte rien.", "A part that cannot be read exports nothing."),
            (Query("max by (part) (kitsurvie_exporter_part_up)"),),
            width=8, height=8, words=_YES,
            columns={"part": Text("Partie", "Part"), "Value": Text("Lue", "Read")},
        ),
        Panel(
            "table",
            Text("Quand chaque sorte de passage a-t-elle eu lieu ?", "When was each kind of run?"),
            Text("Âge et durée du dernier, machines concernées.", "Age and duration of the newest, and its machines."),
            (
                Query("time() - max by (kind) (kitsurvie_run_last_end_timestamp_seconds)"),
                Query("max by (kind) (kitsurvie_run_duration_seconds)"),
                Query("sum by (kind) (kitsurvie_run_hosts)"),
            ),
            width=8, height=8,
            columns={
                "kind": Text("Sorte", "Kind"), "Value #A": Text("Il y a", "Ago"),
                "Value #B": Text("Durée", "Took"), "Value #C": Text("Machines", "Machines"),
            },
            units={"Value #A": "s", "Value #B": "s"},
        ),
        Panel(
            "bars",
            Text("Combien de cibles répondent ?", "How many targets answer?"),
            Text("Cibles de Prometheus qui répondent, par tâche.", "Targets of Prometheus that answer, by job."),
            (Query("sum by (job) (up)", Text("{{job}}", "{{job}}")),),
            width=8, height=8,
        ),
        Panel(
            "bars",
            Text("Quelles sources la sonde ne lit-elle pas ?", "Which sources can probes not read?"),
            Text("Nombre de machines par source illisible ; zéro : toutes lues.", "Machines by source that cannot be read; zero: all are."),
            (Query("sum by (source) (1 - kitsurvie_probe_source_readable)", Text("{{source}}", "{{source}}")),),
            width=8, height=7, steps=_GOOD_BAD, or_nothing=True,
        ),
        Panel(
            "series",
            Text("Combien de machines ont une sonde à jour ?", "How many probes are up to date?"),
            Text("Lues depuis moins de six heures.", "That read within six hours."),
            (Query("count(time() - kitsurvie_probe_last_reading_timestamp_seconds < 6 * 3600)", Text("sondes", "probes")),),
            width=8, height=7, or_nothing=True,
        ),
        Panel(
            "bars",
            Text("Quelles versions sont en service ?", "Which versions are in use?"),
            Text("Sondes par version.", "Probes by version."),
            (Query("count by (version) (kitsurvie_probe_info)", Text("{{version}}", "{{version}}")),),
            width=8, height=7, or_nothing=True,
        ),
        Panel(
            "series",
            Text("Combien de temps prend une lecture ?", "How long does a reading take?"),
            Text("Lecture du registre par l’exportateur.", "The exporter's reading of the ledger."),
            (Query("kitsurvie_exporter_read_duration_seconds", Text("lecture", "reading")),),
            unit="s", width=8, height=7,
        ),
        Panel(
            "series",
            Text("Combien de séries expose l’exportateur ?", "How many series does the exporter have?"),
            Text("Moins de 5 000 pour 50 000 machines.", "Under 5,000 for 50,000 devices."),
            (Query('scrape_samples_scraped{job="kitsurvie"}', Text("séries", "series")),),
            width=8, height=7,
        ),
        _one(Text("Prometheus évalue-t-il ses règles ?", "Does Prometheus evaluate its rules?"), Text("Échecs depuis 24 heures.", "Failures in 24 hours."), "sum(increase(prometheus_rule_evaluation_failures_total[1d]))", steps=((1.0, "red"),), width=8, height=7, decimals=0),
    ),
)  # fmt: skip

BOARDS = (NIGHT, MEMBER, EQUIPMENT, ENERGY, HEALTH)
