using Benji.Nbd.Protocol;

namespace Benji.Nbd.Session.Requests;

/// <summary>Decides from a request's header alone whether it is allowed: command, flags, permission, bounds.</summary>
/// <remarks>proto.md, "Request types", "Command flags" and "Error values".</remarks>
/// <param name="Size">Bytes in the export.</param>
/// <param name="Flags">What the export can do, as the client was told.</param>
/// <param name="IsStructured">True when structured replies were negotiated.</param>
/// <param name="HasContexts">True when the client chose a metadata context.</param>
internal readonly record struct RequestCheck(long Size, TransmissionFlags Flags, bool IsStructured, bool HasContexts)
{
    /// <summary>Returns why a request cannot be done; no failure when it may be tried.</summary>
    public Failure Find(in RequestHeader request)
    {
        var allowed = FlagsOf(request.Command);
        if (allowed is null)
        {
            return new Failure(NbdError.Invalid, $"Command {(ushort)request.Command} is not known.");
        }

        if ((request.Flags & ~allowed.Value) != 0)
        {
            return new Failure(
                NbdError.Invalid, $"Flags 0x{(ushort)request.Flags:x} are not valid with command {request.Command}.");
        }

        if (IsChange(request.Command) && (Flags & TransmissionFlags.ReadOnly) != 0)
        {
            return new Failure(NbdError.NotPermitted, "The export is read-only.");
        }

        return request.Command switch
        {
            Command.Flush => default,
            Command.BlockStatus when !HasContexts =>
                new Failure(NbdError.Invalid, "Block status was asked for, but no metadata context was chosen."),
            Command.BlockStatus when request.Length == 0 =>
                new Failure(NbdError.Invalid, "Block status of no bytes was asked for."),
            _ => Bounds(request),
        };
    }

    private static bool IsChange(Command command) => command is Command.Write or Command.Trim or Command.WriteZeroes;

    // FUA does nothing where nothing is written, but is legal on every command once it was offered.
    private CommandFlags? FlagsOf(Command command) => command switch
    {
        Command.Read => CommandFlags.Fua | (IsStructured ? CommandFlags.DontFragment : CommandFlags.None),
        Command.Write or Command.Trim or Command.Flush or Command.Cache => CommandFlags.Fua,
        Command.WriteZeroes => CommandFlags.Fua | CommandFlags.NoHole | CommandFlags.FastZero,
        Command.BlockStatus => CommandFlags.Fua | CommandFlags.RequestOne,
        _ => null,
    };

    private Failure Bounds(in RequestHeader request)
    {
        if (request.Command is Command.Read or Command.Write && request.Length > NbdLimits.PayloadMax)
        {
            return new Failure(
                NbdError.Invalid, $"The request is for {request.Length} bytes; at most {NbdLimits.PayloadMax} are possible.");
        }

        if (request.Offset <= (ulong)Size && request.Length <= (ulong)Size - request.Offset)
        {
            return default;
        }

        return new Failure(
            request.Command is Command.Write or Command.WriteZeroes ? NbdError.NoSpace : NbdError.Invalid,
            $"The request ends at {(UInt128)request.Offset + request.Length}, behind the export's {Size} bytes.");
    }
}
