let locked lock f =
  Mutex.lock lock;
  Fun.protect ~finally:(fun () -> Mutex.unlock lock) f

module Per_event = struct
  type t = {
    lock : Mutex.t;
    changed : Condition.t;
    mutable pending : int;  (** with the one that is being handled *)
    mutable stopping : bool;
    mutable thread : Thread.t option;
  }

  let rec serve t handle =
    let more =
      locked t.lock (fun () ->
          while t.pending = 0 && not t.stopping do
            Condition.wait t.changed t.lock
          done;
          t.pending > 0)
    in
    if more then begin
      handle ();
      locked t.lock (fun () ->
          t.pending <- t.pending - 1;
          Condition.broadcast t.changed);
      serve t handle
    end

  let start handle =
    let t =
      {
        lock = Mutex.create ();
        changed = Condition.create ();
        pending = 0;
        stopping = false;
        thread = None;
      }
    in
    t.thread <- Some (Thread.create (serve t) handle);
    t

  let post t =
    locked t.lock (fun () ->
        t.pending <- t.pending + 1;
        Condition.broadcast t.changed)

  let wait_until_idle t =
    locked t.lock (fun () ->
        while t.pending > 0 do
          Condition.wait t.changed t.lock
        done)

  let stop t =
    locked t.lock (fun () ->
        t.stopping <- true;
        Condition.broadcast t.changed);
    Option.iter Thread.join t.thread
end

module Periodic = struct
  type t = {
    stopping : bool Atomic.t;
    thread : Thread.t;
  }

  (* Naps in between, so as to end soon. *)
  let rec nap stopping until =
    let left = until -. Unix.gettimeofday () in
    if left > 0. && not (Atomic.get stopping) then begin
      Thread.delay (Float.min left 0.1);
      nap stopping until
    end

  let rec serve stopping every act =
    let next = Unix.gettimeofday () +. every in
    nap stopping next;
    if not (Atomic.get stopping) then begin
      act ();
      serve stopping every act
    end

  let start ~every act =
    let stopping = Atomic.make false in
    { stopping; thread = Thread.create (fun () -> serve stopping every act) () }

  let stop t =
    Atomic.set t.stopping true;
    Thread.join t.thread
end
