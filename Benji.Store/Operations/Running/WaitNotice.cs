using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Says once, when a wait for another run has lasted a while, who that is.</summary>
internal sealed class WaitNotice(StoreContext context)
{
    /// <summary>A wait that is shorter is not worth a word.</summary>
    public static readonly TimeSpan After = TimeSpan.FromSeconds(2);

    private readonly long _began = context.Time.GetTimestamp();
    private bool _isSaid;

    /// <summary>Looks at the clock; called each time that there is nothing to do but wait.</summary>
    /// <param name="holder">What this run waits for.</param>
    public void Look(BenjiException holder)
    {
        if (!_isSaid && context.Time.GetElapsedTime(_began) >= After)
        {
            _isSaid = true;
            Log.Waiting(context.Logger, holder.Message);
        }
    }
}
