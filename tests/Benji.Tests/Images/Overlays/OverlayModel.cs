using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;

namespace Benji.Tests.Images.Overlays;

/// <summary>What an overlay has to show: bytes, and a state for each unit.</summary>
internal sealed class OverlayModel(byte[] baseContent)
{
    private const int Unit = OverlayLayout.UnitSize;

    /// <summary>The bytes.</summary>
    public byte[] Content { get; } = [.. baseContent];

    /// <summary>The states.</summary>
    public UnitState[] States { get; } = new UnitState[(baseContent.Length + Unit - 1) / Unit];

    /// <summary>Does a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="isDamaged">True for units whose base cannot be read.</param>
    /// <returns>False when it ends early, because a unit that it changes in part cannot be read.</returns>
    public bool TryRun(OverlayStep step, Func<long, bool> isDamaged)
    {
        if (step.Action == OverlayAction.Flush)
        {
            return true;
        }

        var end = step.Offset + step.Length;
        for (var at = step.Offset; at < end;)
        {
            var unit = at / Unit;
            var stop = Math.Min(end, Math.Min((unit + 1) * Unit, Content.Length));
            var isWhole = at == unit * Unit && stop == Math.Min((unit + 1) * Unit, Content.Length);
            if (!isWhole && States[unit] == UnitState.Base && isDamaged(unit))
            {
                return false;
            }

            var target = Content.AsSpan((int)at..(int)stop);
            switch (step.Action)
            {
                case OverlayAction.Write:
                    step.Data.AsSpan((int)(at - step.Offset), target.Length).CopyTo(target);
                    States[unit] = UnitState.Data;
                    break;
                case OverlayAction.Revert:
                    baseContent.AsSpan((int)at..(int)stop).CopyTo(target);
                    States[unit] = UnitState.Base;
                    break;
                default:
                    target.Clear();
                    States[unit] = isWhole ? UnitState.Zero : UnitState.Data;
                    break;
            }

            at = stop;
        }

        return true;
    }

    /// <summary>The runs of units that are not the base's.</summary>
    public IEnumerable<DirtyRun> ListDirty()
    {
        for (var unit = 0; unit < States.Length;)
        {
            var first = unit;
            while (unit < States.Length && States[unit] == States[first])
            {
                unit++;
            }

            if (States[first] != UnitState.Base)
            {
                var length = Math.Min(Content.Length, unit * Unit) - (first * Unit);
                yield return new DirtyRun(first * Unit, length, States[first] == UnitState.Zero);
            }
        }
    }
}
