"""The command line, ``python -m ser_lib``: corpora, runs, what is collected from them, and predictions."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ser_lib.errors import SerError

app = typer.Typer(
    help="Replication of Etienne et al. 2018: corpora, runs and results.",
    add_completion=False,
    rich_markup_mode=None,
)

# Newer versions of typer carry click inside them: the base class of its errors is found by way of one that both have.
UsageProblem = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

CORPORA = "iemocap, emodb, ravdess, nemo or synthetic."
Corpus = Annotated[str, typer.Option(help=CORPORA)]
Name = Annotated[str, typer.Option(help="Name of an experiment, such as table1-best.")]
Number = Annotated[int, typer.Option(help="Number of the fold, from 1.")]
Seed = Annotated[int, typer.Option(help="Seed of the run.")]
Root = Annotated[Path | None, typer.Option(help="Top folder of the corpus; without it, $SER_CORPORA/<corpus>.")]
AllowPartial = Annotated[bool, typer.Option("--allow-partial", help="Go on with an incomplete corpus.")]
Device = Annotated[str, typer.Option(help="A torch device; auto takes a GPU if there is one.")]
Scenarios = Annotated[str, typer.Option(help="IEMOCAP: improvised (the paper) or all.")]
MergeExcited = Annotated[bool, typer.Option("--merge-excited", help="IEMOCAP: count excited as happiness.")]


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="emodb, ravdess or nemo.")],
    root: Annotated[
        Path | None, typer.Option(help="Top folder of the corpus, to be made; without it, $SER_CORPORA/<corpus>.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the corpus's licence without being asked.")] = False,
    url: Annotated[
        str | None, typer.Option(help="Another address of a zip archive of the corpus than its publisher's.")
    ] = None,
) -> None:
    """Fetch an open corpus from its publisher, unpack it, and check its recordings against their digests."""
    from ser_lib import fetch as fetching

    def agree(source: fetching.Source) -> None:
        if not yes and not sys.stdin.isatty():
            raise SerError(
                f"{source.title} is under the licence {source.licence}: pass --yes to agree to it, where there is no "
                f"terminal to ask at"
            )
        print(f"{source.title} from {source.page}\nlicence: {source.licence}")
        if not yes and not typer.confirm("Fetch it under this licence?"):
            raise SerError("nothing was fetched: the licence was not agreed to")

    print(fetching.fetch(name, root, agree=agree, url=url, progress=True))


@app.command()
def corpus(
    name: Annotated[str, typer.Argument(help=CORPORA)],
    root: Root = None,
    allow_partial: AllowPartial = False,
    scenarios: Scenarios = "improvised",
    merge_excited: MergeExcited = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the table of utterances in results/ (no audio).")] = False,
) -> None:
    """Read a corpus, check every file, and show its utterances by speaker and emotion."""
    table = _load(name, root, allow_partial, scenarios, merge_excited)
    from ser_lib import collection, corpora, records

    print(corpora.counts(table).to_string())
    print(f"fingerprint {table.attrs['fingerprint']}, {table['duration'].sum() / 60:.1f} minutes")
    for note in table.attrs["notes"]:
        print(f"note: {note}")
    if keep:
        if departures := records.departures(table):
            raise SerError(f"nothing was kept: this is not the paper's selection of the whole corpus ({departures})")
        print(f"kept in {collection.save_utterances(table)}")


@app.command()
def experiments(
    name: Annotated[str | None, typer.Argument(help="An experiment or family; without it, all families.")] = None,
) -> None:
    """List the experiments by family, with the settings in which each differs from the one it is compared with."""
    from ser_lib.experiments import FAMILIES, compared, find_experiment, members

    if name and name not in FAMILIES:
        members(name)  # an unknown name is an error
        print(find_experiment(name).model_dump_json(indent=1))
        return
    for family in [name] if name else FAMILIES:
        print(f"{family}: {FAMILIES[family].question}")
        for member, reference in compared([family]).items():
            own, other = (find_experiment(each).model_dump() for each in (member, reference))
            changed = ", ".join(f"{key}={value}" for key, value in own.items() if value != other[key])
            print(f"  {member}: {reference} with {changed}")


@app.command()
def run(
    corpus: Corpus,
    experiment: Name,
    fold: Number,
    seed: Seed = 0,
    root: Root = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a setting: KEY=VALUE (JSON); may be repeated.")
    ] = None,
    device: Device = "auto",
    allow_partial: AllowPartial = False,
    scenarios: Scenarios = "improvised",
    merge_excited: MergeExcited = False,
) -> None:
    """Train one fold and keep its record, or show the record if the run is finished."""
    from ser_lib.experiments import find_experiment, parse_settings

    chosen = find_experiment(experiment).with_settings(**parse_settings(settings or []))
    table = _load(corpus, root, allow_partial, scenarios, merge_excited)
    from ser_lib import metrics, records
    from ser_lib.corpora import EMOTIONS

    key = records.run_key(table, experiment, chosen, fold, seed)
    record = records.obtain(table, key, device, progress=True)
    truth, prediction = record.predictions["truth"], record.predictions["prediction"]
    print(
        f"{corpus}, {experiment}, fold {fold} (test speaker {record.run['test_speaker']}), seed {seed}: "
        f"weighted accuracy {100 * metrics.weighted_accuracy(truth, prediction):.1f} %, unweighted accuracy "
        f"{100 * metrics.unweighted_accuracy(truth, prediction, EMOTIONS):.1f} %, {record.folder}"
    )


@app.command()
def repeat(
    corpus: Corpus,
    experiment: Name,
    fold: Number,
    seed: Seed = 0,
    root: Root = None,
    device: Device = "auto",
    allow_partial: AllowPartial = False,
    keep: Annotated[bool, typer.Option("--keep", help="Add what was found to results/<corpus>/repeats.csv.")] = False,
) -> None:
    """Make a collected run again, and say whether the same comes out; exit status 1 if not."""
    from ser_lib.experiments import find_experiment

    settings = find_experiment(experiment)
    table = _load(corpus, root, allow_partial, "improvised", False)
    from ser_lib import collection, records, repeats

    if keep:
        _refuse_unnamed_code()
    key = records.run_key(table, experiment, settings, fold, seed)
    found = repeats.repeat(table, key, collection.load_results(), device, progress=True)
    print(repeats.describe(found))
    if keep:
        print(f"kept in {repeats.save(found)}")
    if not found["same"]:
        raise typer.Exit(1)


@app.command()
def collect(
    out: Annotated[Path | None, typer.Option(help="Folder of the tables; without it, results/.")] = None,
    mixed_code: Annotated[
        bool, typer.Option("--mixed-code", help="Take runs of one experiment by code that trains differently.")
    ] = False,
) -> None:
    """Gather the finished runs into the tidy tables that the book reads."""
    from ser_lib import collection

    collection.collect(out, mixed_code=mixed_code)


@app.command()
def study(
    names: Annotated[list[str], typer.Argument(help="Corpora: iemocap, emodb, ravdess, nemo or synthetic.")],
    root: Root = None,
    cores: Annotated[int, typer.Option(min=1, help="How many runs are made at once.")] = 1,
    device: Device = "auto",
) -> None:
    """Show the whole study on some corpora: how many runs, finished ones, time, memory and disk."""
    if root and len(names) > 1:
        raise SerError("--root is the folder of one corpus: for several, set SER_CORPORA to the folder that holds them")
    tables = [_load(name, root, False, "improvised", False) for name in names]
    from ser_lib import collection
    from ser_lib import study as whole

    gpu = whole.is_gpu(device)
    print(whole.describe(tables, collection.load_results().runs, collection.load_utterances, cores, gpu))


@app.command("baselines")
def run_baselines(
    corpus: Corpus,
    root: Root = None,
    allow_partial: AllowPartial = False,
    scenarios: Scenarios = "improvised",
    merge_excited: MergeExcited = False,
) -> None:
    """Fit the baselines on every fold of a corpus, and keep their test predictions in results/."""
    from ser_lib import baselines, scoring, tables

    _refuse_unnamed_code()
    baselines.opensmile_module()  # what is missing is said before minutes are spent
    table = _load(corpus, root, allow_partial, scenarios, merge_excited)
    predictions = baselines.run(table, progress=True)
    means = scoring.summary(tables.baseline_scores(predictions)).set_index("experiment")
    for row in means.loc[list(tables.baseline_variants())].itertuples():
        print(
            f"{corpus}, {row.Index}: weighted accuracy {100 * row.wa:.1f} %, "
            f"unweighted accuracy {100 * row.ua:.1f} % (mean over {row.folds} folds)"
        )
    print(f"kept in {baselines.save(predictions, table)}")


@app.command()
def variety(
    corpus: Corpus,
    experiment: Annotated[str, typer.Option(help="Whose finished runs are measured.")] = "table1-baseline",
    root: Root = None,
    allow_partial: AllowPartial = False,
) -> None:
    """Measure how gradients differ from batch to batch, by batch size, at the weights of finished runs."""
    from ser_lib.experiments import find_experiment

    find_experiment(experiment)
    table = _load(corpus, root, allow_partial, "improvised", False)
    from ser_lib import variety

    _refuse_unnamed_code()
    measured = variety.measure(table, experiment)
    print(measured.groupby("batch_size")["cosine"].agg(["mean", "count"]).to_string(float_format="%.4f"))
    print(f"kept in {variety.save(measured)}")


@app.command()
def transfer(
    source: Annotated[str, typer.Option(help="The corpus whose finished runs give the networks.")],
    corpus: Annotated[str, typer.Option(help="The corpus to test on: iemocap, emodb, ravdess, nemo or synthetic.")],
    experiment: Annotated[str, typer.Option(help="Whose finished runs are taken.")] = "table1-baseline",
    root: Root = None,
    device: Device = "auto",
    allow_partial: AllowPartial = False,
    scenarios: Scenarios = "improvised",
    merge_excited: MergeExcited = False,
) -> None:
    """Test the networks of one corpus's finished runs on all utterances of another corpus."""
    from ser_lib.experiments import find_experiment

    find_experiment(experiment)
    table = _load(corpus, root, allow_partial, scenarios, merge_excited)
    from ser_lib import tables, transfer

    _refuse_unnamed_code()
    counts = transfer.measure(source, table, experiment, device)
    for normalisation, part in tables.transfer_scores(counts).groupby("normalisation"):
        print(
            f"{source} to {corpus}, {experiment}, eq. 2 with the {normalisation} corpus's statistics: unweighted "
            f"accuracy {100 * part['ua'].mean():.1f} % (mean over {part['speaker'].nunique()} speakers)"
        )
    print(f"kept in {transfer.save(counts)}")


@app.command()
def predict(
    record: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    recordings: Annotated[list[Path], typer.Argument(help="Recordings, .wav or .flac.")],
    device: Device = "auto",
) -> None:
    """Name the emotion of recordings with the network of a finished run; prints CSV."""
    from ser_lib import records

    predictions = records.predict(record, recordings, device)
    predictions.to_csv(sys.stdout, index=False, float_format="%.4f")


@app.command()
def compare(
    file: Annotated[Path, typer.Argument(help="CSV of another model: utterance, prediction and, if several, seed.")],
    corpus: Corpus,
    experiment: Annotated[str, typer.Option(help="Which of our experiments it is compared with.")] = "table1-best",
    root: Root = None,
) -> None:
    """Score another model's test predictions as ours are scored, and show both, paired by speaker."""
    from ser_lib import collection, other_model, scoring
    from ser_lib.experiments import find_experiment

    find_experiment(experiment)
    utterances = collection.load_utterances(corpus)
    if utterances is None:
        utterances = _load(corpus, root, False, "improvised", False)
    predictions = other_model.read(file, corpus, utterances)
    ours = scoring.scores(scoring.predictions_of(collection.load_results().predictions, experiment))
    print(other_model.described(other_model.beside(predictions, ours, experiment), predictions))


@app.command()
def readme() -> None:
    """Write the table of results in README.md anew from results/."""
    from ser_lib import collection, scoring, tables

    results = collection.load_results()
    tables.update_readme(scoring.scores(results.predictions), results.failures)


def _refuse_unnamed_code() -> None:
    """Say before hours of work, and not behind them, that nothing would be kept of it."""
    from ser_lib import measurements, origins

    measurements.refuse_unnamed_code([origins.code_version()])


def _load(name: str, root: Path | None, allow_partial: bool, scenarios: str, merge_excited: bool):
    from ser_lib import corpora

    return corpora.load(
        name, root, allow_partial=allow_partial, scenarios=scenarios, merge_excited=merge_excited, progress=True
    )


def main() -> int:
    """Run a command; errors that the user can put right are one line on stderr, and exit status 1.

    Raises:
        Exception: a fault of ours, with its traceback; so is an OSError that names no file.
    """
    try:
        result = app(args=sys.argv[1:] or ["--help"], standalone_mode=False)
        if result == 130:  # what Typer makes of an interrupt
            raise KeyboardInterrupt
        if not sys.argv[1:]:  # help was shown, but nothing was done
            return 2
        return result if isinstance(result, int) else 0
    except SerError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except UsageProblem as problem:
        print(f"error: {problem.format_message()}", file=sys.stderr)
        return problem.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print("stopped: nothing half-done is kept", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 1
    except OSError as problem:  # a file or folder that may not be read or written, wherever it was come upon
        if problem.filename is None:
            raise
        print(f"error: {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
