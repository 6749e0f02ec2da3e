using System.Globalization;
using Benji.Cli.Output;
using Benji.Store.Operations;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>Logs one line as each stage begins, for runs that nobody watches.</summary>
internal sealed class StageProgress(ILogger logger) : IOperationProgress
{
    /// <inheritdoc/>
    public void StartStage(string name, long? total, ProgressUnit unit)
    {
        if (total is not { } whole)
        {
            Log.StageStarted(logger, name);
            return;
        }

        var amount = unit == ProgressUnit.Bytes ? Quantities.Bytes(whole) : whole.ToString(CultureInfo.InvariantCulture);
        Log.SizedStageStarted(logger, name, amount);
    }

    /// <inheritdoc/>
    public void Advance(long units)
    {
    }
}
