"""What several tables share: a score with its interval, runs that diverged, and one version of each corpus."""

import pandas as pd

from ser_lib.errors import SerError
from ser_lib.scoring import of_experiment
from ser_lib.wording import DIVERGED, absence, percent


def score_cell(
    summarised: pd.DataFrame, scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str, metric: str
) -> str:
    """The score of an experiment on a corpus, and how many of its runs diverged, if any did."""
    if (corpus, experiment) not in summarised.index:
        return absence(failures, corpus, experiment)
    row = summarised.loc[(corpus, experiment)]
    cell = percent(row[metric], row[f"{metric}_low"], row[f"{metric}_high"], int(row["folds"]))
    if of_experiment(failures, corpus, experiment).empty:
        return cell
    return f"{cell}, {count_diverged(scored, failures, corpus, experiment)} {DIVERGED}"


def count_diverged(scored: pd.DataFrame, failures: pd.DataFrame, corpus: str, experiment: str) -> str:
    """How many of an experiment's runs diverged: 3 of 10."""
    failed, finished = (len(of_experiment(table, corpus, experiment)) for table in (failures, scored))
    return f"{failed} of {failed + finished}" if failed + finished else absence(failures, corpus, experiment)


def refuse_other_corpus(table: pd.DataFrame, runs: pd.DataFrame, what: str, command: str) -> None:
    """Refuse what was measured on another version of a corpus than the runs: they are of unlike utterances."""
    for corpus in sorted(set(table["corpus"]) & set(runs["corpus"])):
        found, run = (sorted(set(part.loc[part["corpus"] == corpus, "fingerprint"])) for part in (table, runs))
        if found != run:
            raise SerError(
                f"{corpus}: {what} are of the version {', '.join(found)} of the corpus, the runs of {', '.join(run)}: "
                f"make them again (python -m ser_lib {command.format(corpus)})"
            )
