using Benji.Nbd.Protocol;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd.Session.Requests;

/// <summary>Decides whether one more line about a client may be logged.</summary>
internal interface ILogGate
{
    /// <summary>True when it may; false lines are counted and the count is logged later.</summary>
    bool MayLog();
}

/// <summary>Counts what one client's requests did, and logs the first failures.</summary>
/// <remarks>For the connection's thread.</remarks>
/// <param name="client">For the log.</param>
/// <param name="export">For the log.</param>
/// <param name="counters">Those of the server.</param>
/// <param name="gate">Keeps a failing client from flooding the log.</param>
/// <param name="logger">Receives failures.</param>
internal sealed class RequestReport(
    string client, string export, NbdCounters counters, ILogGate gate, ILogger logger)
{
    private bool _hasLogged;
    private long _published;
    private long _errors;
    private long _errorsPublished;
    private long _bytesReadPublished;
    private long _bytesWrittenPublished;

    /// <summary>Requests answered.</summary>
    public long Requests { get; private set; }

    /// <summary>Bytes read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Bytes written.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Counts a request that was done.</summary>
    public void Done(in RequestHeader request)
    {
        Requests++;
        if (request.Command == Command.Read)
        {
            BytesRead += request.Length;
        }
        else if (request.Command == Command.Write)
        {
            BytesWritten += request.Length;
        }
    }

    /// <summary>Counts a request that failed and logs why, within limits: of what the client does wrong only the first.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="defect">What is wrong with this program, if that was it.</param>
    public void Failed(in RequestHeader request, in Failure failure, Exception? defect)
    {
        Requests++;
        _errors++;
        var isOurs = failure.Error is NbdError.InputOutput or NbdError.NoSpace;
        if ((!isOurs && _hasLogged) || failure.Error == NbdError.Shutdown || !gate.MayLog())
        {
            return;
        }

        _hasLogged |= !isOurs;

        Log.RequestFailed(logger, client, request.Command.ToString(), request.Offset, export, failure.Text);
        if (defect is not null)
        {
            Log.Defect(logger, defect);
        }
    }

    /// <summary>Adds what is new to the counters of the server.</summary>
    public void Publish()
    {
        if (Requests == _published)
        {
            return;
        }

        counters.Answered(
            Requests - _published,
            _errors - _errorsPublished,
            BytesRead - _bytesReadPublished,
            BytesWritten - _bytesWrittenPublished);
        (_published, _errorsPublished) = (Requests, _errors);
        (_bytesReadPublished, _bytesWrittenPublished) = (BytesRead, BytesWritten);
    }
}
