using System.CommandLine;
using Benji.Cli.Output;
using Benji.Store;
using Benji.Store.Images;
using Benji.Store.Operations;

namespace Benji.Cli.Commands;

/// <summary><c>benji overlay</c>: makes, lists and removes overlays.</summary>
internal sealed class OverlayCommand : ICommand
{
    private readonly Argument<string> _base = new("VERSION") { Description = "The version to lay it over" };

    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "Its name on the version (default: the time in UTC, as 20261123T024501Z)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string?> _listed = new("VERSION")
    {
        Description = "List the overlays of this version, or of this volume, only (default: all)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string[]> _removed = new("OVERLAY")
    {
        Description = "The overlays to remove, VERSION@NAME",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _force = new("--force", "-f")
    {
        Description = "Remove overlays that hold data too; it is lost",
    };

    private readonly Command _create;
    private readonly Command _list;
    private readonly Command _remove;

    public OverlayCommand()
    {
        _create = new Command("create", "Make an empty overlay, which keeps its version from removal") { _base, _name };
        _list = new Command("ls", "List overlays: base, age, what they hold, who has them open") { _listed };
        _remove = new Command("rm", "Remove overlays") { _removed, _force };
    }

    /// <inheritdoc/>
    public Command Syntax => field ??= new Command("overlay", "Make, list and remove overlays") { _create, _list, _remove };

    /// <inheritdoc/>
    public Task<int> RunAsync(ParseResult parsed, CommandRun run)
    {
        var verb = parsed.CommandResult.Command;
        return verb == _create ? CreateAsync(parsed, run)
            : verb == _list ? ListAsync(parsed, run)
            : RemoveAsync(parsed, run);
    }

    /// <summary>Returns what the arguments of <c>rm</c> ask for.</summary>
    internal OverlayRemoveRequest ReadRemoval(ParseResult parsed) => new()
    {
        Overlays = parsed.GetRequiredValue(_removed),
        Force = parsed.GetValue(_force),
    };

    private async Task<int> CreateAsync(ParseResult parsed, CommandRun run)
    {
        ImageEntry overlay;
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            overlay = await store.CreateOverlayAsync(
                parsed.GetRequiredValue(_base), parsed.GetValue(_name), run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => OverlayReport.WriteJson(writer, [overlay]));
        }
        else
        {
            // The name alone on standard output: OVERLAY=$(benji overlay create ...).
            run.WriteName(overlay.Name);
            run.Summarize($"Made overlay {overlay.Name}. Its version cannot be removed while it stands.");
        }

        return ExitCodes.Success;
    }

    private async Task<int> ListAsync(ParseResult parsed, CommandRun run)
    {
        IReadOnlyList<ImageEntry> overlays;
        await using (var store = await run.OpenStoreAsync(StoreUse.Read))
        {
            overlays = await store.ListOverlaysAsync(parsed.GetValue(_listed), run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => OverlayReport.WriteJson(writer, overlays));
        }
        else
        {
            OverlayReport.WriteTable(run.Output, overlays, run.Time, run.HasColor);
        }

        return ExitCodes.Success;
    }

    private async Task<int> RemoveAsync(ParseResult parsed, CommandRun run)
    {
        var request = ReadRemoval(parsed);
        IReadOnlyList<ImageEntry> overlays;
        await using (var store = await run.OpenStoreAsync(StoreUse.Change))
        {
            overlays = await store.RemoveOverlaysAsync(request, run.Stop);
        }

        if (run.IsMachineOutput)
        {
            run.WriteJson(writer => OverlayReport.WriteJson(writer, overlays));
        }
        else
        {
            run.Summarize($"Removed {string.Join(", ", overlays.Select(overlay => overlay.Name))}.");
        }

        return ExitCodes.Success;
    }
}
