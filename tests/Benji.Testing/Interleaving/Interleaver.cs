namespace Benji.Testing.Interleaving;

/// <summary>Runs several actors step by step, one at a time, in an order that a seed decides, and kills some between
/// two steps.</summary>
/// <remarks>An actor's steps are the calls that pass <see cref="PassAsync"/>; it has one of them under way at a time.
/// </remarks>
internal sealed class Interleaver(Random random)
{
    private readonly AsyncLocal<Actor?> _current = new();
    private readonly SemaphoreSlim _arrivals = new(0);
    private readonly Lock _waitingLock = new();
    private readonly List<(Actor Actor, Action<bool> Go)> _waiting = [];

    /// <summary>Called before each step; a test moves the clock here.</summary>
    public Action? BeforeStep { get; init; }

    /// <summary>Of a thousand steps, how many kill their actor when it may be killed.</summary>
    public int KillsPerThousand { get; init; }

    /// <summary>Steps made.</summary>
    public int Steps { get; private set; }

    /// <summary>Waits for this actor's turn.</summary>
    /// <exception cref="KilledException">The actor is dead.</exception>
    public Task PassAsync()
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Arrive(isAlive =>
        {
            if (isAlive)
            {
                turn.SetResult();
            }
            else
            {
                turn.SetException(new KilledException());
            }
        });
        return turn.Task;
    }

    /// <summary>Registers what goes on at this actor's turn; false says that the actor is dead.</summary>
    public void Arrive(Action<bool> go)
    {
        var actor = _current.Value ?? throw new InvalidOperationException("Only an actor has steps.");
        if (actor.IsDead)
        {
            go(false);
            return;
        }

        lock (_waitingLock)
        {
            _waiting.Add((actor, go));
        }

        _arrivals.Release();
    }

    /// <summary>Runs all actors to their ends; a killed one ends early, any other failure is the result.</summary>
    public async Task RunAsync(params IReadOnlyList<Actor> actors)
    {
        var tasks = actors.Select(StartAsync).ToList();
        for (var i = 0; i < actors.Count; i++)
        {
            await _arrivals.WaitAsync();
        }

        while (Take() is { } turn)
        {
            Steps++;
            BeforeStep?.Invoke();
            if (turn.Actor.OnKilled is { } kill && random.Next(1000) < KillsPerThousand)
            {
                turn.Actor.IsDead = true;
                await kill();
            }

            turn.Go(!turn.Actor.IsDead);
            await _arrivals.WaitAsync();
        }

        await Task.WhenAll(tasks);
    }

    private (Actor Actor, Action<bool> Go)? Take()
    {
        lock (_waitingLock)
        {
            if (_waiting.Count == 0)
            {
                return null;
            }

            var index = random.Next(_waiting.Count);
            var turn = _waiting[index];
            _waiting.RemoveAt(index);
            return turn;
        }
    }

    private Task StartAsync(Actor actor) => Task.Run(async () =>
    {
        _current.Value = actor;
        try
        {
            await actor.Body();
        }
        catch (KilledException)
        {
            // Whatever a process does after it was killed, it does not do.
        }
        finally
        {
            _arrivals.Release();
        }
    });
}

/// <summary>Somebody who makes steps: a process, or a lane of one.</summary>
/// <param name="Body">What it does.</param>
/// <param name="OnKilled">Called when it is killed, before anybody makes another step; null for one that lives
/// on.</param>
internal sealed record Actor(Func<Task> Body, Func<ValueTask>? OnKilled = null)
{
    /// <summary>True once it was killed.</summary>
    public bool IsDead { get; set; }
}

/// <summary>Ends the steps of an actor that was killed.</summary>
internal sealed class KilledException : Exception;
