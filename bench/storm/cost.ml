type asker =
  | Lookup
  | Watcher
  | Balancer
  | Metrics

let askers =
  [
    (Lookup, "lookups by UUID");
    (Watcher, "watchers");
    (Balancer, "balancer");
    (Metrics, "metrics");
  ]

type totals = {
  questions : int;
  cpu : int;
  lists : int;
  list_cpu : int;
  foretold : int;
}

type sum = {
  count : int Atomic.t;
  nanoseconds : int Atomic.t;
}

let sum () = { count = Atomic.make 0; nanoseconds = Atomic.make 0 }
let add counter n = ignore (Atomic.fetch_and_add counter n)

let timed sum f =
  let start = Clock.nanoseconds Thread in
  let answer = f () in
  add sum.nanoseconds (Clock.nanoseconds Thread - start);
  add sum.count 1;
  answer

let sums = List.map (fun (asker, _) -> (asker, sum ())) askers
let fetches = sum ()
let foretold = Atomic.make 0
let question asker f = timed (List.assq asker sums) f

let list f ~hypercalls =
  let answer = timed fetches f in
  add foretold (hypercalls answer);
  answer

let of_asker asker =
  let sum = List.assq asker sums in
  (Atomic.get sum.count, Atomic.get sum.nanoseconds)

let totals () =
  let all = List.map (fun (asker, _) -> of_asker asker) askers in
  {
    questions = List.fold_left (fun n (questions, _) -> n + questions) 0 all;
    cpu = List.fold_left (fun n (_, cpu) -> n + cpu) 0 all;
    lists = Atomic.get fetches.count;
    list_cpu = Atomic.get fetches.nanoseconds;
    foretold = Atomic.get foretold;
  }
