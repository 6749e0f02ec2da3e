namespace Benji.Cli;

/// <summary>What the program gets from its process: streams, terminal, environment variables and the clock.</summary>
internal sealed record RunEnvironment
{
    /// <summary>Standard output.</summary>
    public required Stream Output { get; init; }

    /// <summary>True when a person watches standard output.</summary>
    public required bool IsOutputTerminal { get; init; }

    /// <summary>Standard error.</summary>
    public required Stream Error { get; init; }

    /// <summary>True when a person watches standard error.</summary>
    public required bool IsErrorTerminal { get; init; }

    /// <summary>Returns the columns of the terminal behind standard output; called only where there is one.</summary>
    public required Func<int> OutputWidth { get; init; }

    /// <summary>Returns the columns of the terminal behind standard error; called only where there is one.</summary>
    public required Func<int> ErrorWidth { get; init; }

    /// <summary>Returns an environment variable, or null.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Returns the bytes of a file of <c>/proc/self</c>.</summary>
    public Func<string, byte[]> ReadProcess { get; init; } = static name => File.ReadAllBytes($"/proc/self/{name}");

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }
}
