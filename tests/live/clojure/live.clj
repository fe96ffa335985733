(require '[agent_test_nasty_v1 :as nasty])

(defmacro refusal
  "The type of what a call is refused with."
  [& body]
  `(try
     ~@body
     nil
     (catch clojure.lang.ExceptionInfo error# (:type (ex-data error#)))))

(def client (nasty/open {:agent "a.live" :timeout-ms 20000}))
(println "instance" (nasty/instance client))
(println "text" (nasty/echo_text client {:text "naïve ☃ 𝄞 \"quoted\" \\ end"}))
(println "integer" (nasty/echo_integer client {:number 9007199254740991}))
(let [leaf {:value "leaf"}
      tree {:value "root" :children [{:value "twig" :children [leaf]} leaf]}
      found (nasty/depth client {:tree tree})]
  (println "depth" (:depth found) (get-in found [:deepest :value])))
(println "keywords" (:return (nasty/class client {:import "word" :end true})))
(println "empty" (nasty/ping_empty client))
(println "large" (count (nasty/echo_text client {:text (apply str (repeat 1048576 "x"))})))
(try
  (nasty/fail client)
  (catch clojure.lang.ExceptionInfo error
    (let [{:keys [type code message]} (ex-data error)]
      (when (= type :rtt/remote) (println "remote" code message)))))
(when (= (refusal (nasty/slow client nil {:timeout-ms 300})) :rtt/call-timeout)
  (println "timeout"))
(doseq [[method name] [["wrong_id" "wrong id"] ["garbage" "garbage"] ["half_line" "half a line"]]]
  (when (= (refusal (nasty/call client method)) :rtt/protocol)
    (println name "refused")))
(when (= (refusal (nasty/call client "echo_text" {:text 7})) :rtt/protocol)
  (println "wrong type refused"))
(when (nasty/health client)
  (println "healthy"))
(when (= (refusal (nasty/shut_down client)) :rtt/protocol)
  (print "failover "))
(let [text (nasty/echo_text client {:text "again"})]
  (println (nasty/instance client) text))
(nasty/close client)
(when (= (refusal (nasty/open {:agent "a.nobody"})) :rtt/no-route)
  (println "no route"))
